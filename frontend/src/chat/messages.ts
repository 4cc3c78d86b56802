/** What a person says: sent, asked again, edited, answered. */

import type { ChatMethods } from '../element/host'
import { contentFrom, isBlank, noContent, sendable } from '../composer/content'
import type {
  Attachment,
  StructuredInputSubmission,
  UserMessageInput,
  UserMessageItem,
} from '../protocol/types'
import type { Responses } from './responses'
import type { Session } from './session'

export type SendParams = Parameters<ChatMethods['sendUserMessage']>[0]

export class Messages {
  readonly #session: Session
  readonly #responses: Responses

  constructor(session: Session, responses: Responses) {
    this.#session = session
    this.#responses = responses
  }

  /** Send a message, and return why that could not be done once the answer is there. */
  async send(params: SendParams): Promise<Error | null> {
    const { toolId, modelId, threadId, isResponding } = this.#session.current
    const written = contentFrom(params) ?? noContent
    const content = sendable(written)
    const attachments = (params.attachments ?? []) as Attachment[]
    if (isResponding || (content.length === 0 && attachments.length === 0)) return null
    const tool = params.toolChoice ?? (toolId === null ? undefined : { id: toolId })
    const model = params.model ?? modelId ?? undefined
    const input = {
      content,
      attachments: attachments.map((attachment) => attachment.id),
      quoted_text: params.reply,
      inference_options: { ...(tool && { tool_choice: tool }), ...(model && { model }) },
    }
    this.#session.state.set({ sending: { content: written, attachments, reply: params.reply ?? null } })
    if (params.toolChoice === undefined && toolId !== null) {
      const option = this.#session.current.options?.composer?.tools?.find((each) => each.id === toolId)
      if (!option?.persistent) this.#session.chooseTool(null)
    }
    if (threadId === null) {
      return this.#responses.respond((client, init) => client.stream('threads.create', { input }, init))
    }
    return this.#responses.respond((client, init) =>
      client.stream('threads.add_user_message', { thread_id: threadId, input }, init),
    )
  }

  /** Send what the composer holds, once its files are uploaded. */
  async submit(): Promise<void> {
    const { draft, isResponding } = this.#session.current
    const { content, reply } = draft.state.get()
    const attachments = draft.uploads.finished()
    if (isResponding || draft.uploads.isUploading() || draft.uploads.hasFailed()) return
    if (isBlank(content) && attachments.length === 0) return
    draft.clear()
    await this.send({
      content: [...content],
      attachments,
      ...(reply !== null && { reply }),
    } as SendParams)
  }

  /** Ask for another answer to a message, in place of all that came after it. */
  async retry(message: UserMessageItem): Promise<void> {
    const { threadId, thread } = this.#session.current
    if (threadId === null) return
    const index = thread.items.findIndex((item) => item.id === message.id)
    this.#session.state.set({ thread: { ...thread, items: thread.items.slice(0, index + 1) } })
    await this.#responses.respond((client, init) =>
      client.stream(
        'threads.retry_after_item',
        { thread_id: threadId, item_id: message.id },
        init,
      ),
    )
  }

  /** Put other content in the place of a message's, and have it answered anew. */
  async edit(message: UserMessageItem, content: UserMessageInput['content']): Promise<void> {
    const { threadId, thread } = this.#session.current
    if (threadId === null) return
    const index = thread.items.findIndex((item) => item.id === message.id)
    const items = [...thread.items.slice(0, index), { ...message, content }]
    this.#session.state.set({ thread: { ...thread, items } })
    const input = {
      content,
      attachments: (message.attachments ?? []).map((attachment) => attachment.id),
      quoted_text: message.quoted_text,
      inference_options: message.inference_options,
    }
    await this.#responses.respond((client, init) =>
      client.stream(
        'threads.retry_after_item',
        { thread_id: threadId, item_id: message.id },
        { ...init, metadata: { input } },
      ),
    )
  }

  async answer(itemId: string, input: StructuredInputSubmission): Promise<void> {
    const { threadId } = this.#session.current
    if (threadId === null) return
    await this.#responses.respond((client, init) =>
      client.stream(
        'threads.add_structured_input',
        { thread_id: threadId, item_id: itemId, input },
        init,
      ),
    )
  }
}
