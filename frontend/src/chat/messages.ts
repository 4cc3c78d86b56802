/** Sends, retries and edits messages, and answers an agent's questions. */

import type { ChatMethods } from '../element/host'
import { contentFrom, isBlank, noContent, sendable } from './content'
import { isPending } from '../protocol/thread'
import type {
  Attachment,
  StructuredInputSubmission,
  ThreadItem,
  UserMessageInput,
  UserMessageItem,
} from '../protocol/types'
import type { End, ResponseRequest } from './pendingResponse'
import { isThere, type Outgoing } from './drafts'
import { randomId } from './live'
import { nextModel } from './models'
import type { Responses } from './responses'
import type { Session } from './session'

/** The error message for an app that does not wait for the response. */
export const BUSY = 'A response is in progress. Wait for the event chatkit.response.end.'

export type SendParams = Parameters<ChatMethods['sendUserMessage']>[0]

export class Messages {
  readonly #session: Session
  readonly #responses: Responses

  constructor(session: Session, responses: Responses) {
    this.#session = session
    this.#responses = responses
  }

  /** Send a message, wait for the response to end, and return the error if sending failed. */
  async send(params: SendParams): Promise<Error | null> {
    if (this.#session.current.isResponding) return new Error(BUSY)
    const outgoing = this.#outgoing(params)
    return outgoing === null ? null : this.#dispatch(outgoing)
  }

  /** Send the composer's message, or queue it until the current response ends. */
  async submit(): Promise<void> {
    const { draft, isResponding } = this.#session.current
    const { content, reply, waiting } = draft.state.get()
    const attachments = draft.uploads.finished()
    if (draft.uploads.isUploading() || draft.uploads.hasFailed()) return
    if (isBlank(content) && attachments.length === 0) return
    const outgoing = this.#outgoing({
      content: [...content],
      attachments,
      ...(reply !== null && { reply }),
    } as SendParams)
    if (outgoing === null) return
    draft.clear()
    if (isResponding) draft.state.set({ waiting: [...waiting, outgoing] })
    else await this.#dispatch(outgoing)
  }

  /** Send a queued message. */
  async sendWaiting(outgoing: Outgoing): Promise<void> {
    const { draft, isResponding } = this.#session.current
    if (isResponding) return
    this.dropWaiting(outgoing)
    this.#session.drafts.keep(draft)
    await this.#dispatch(outgoing)
  }

  /** Put a message that was not sent back into the composer. */
  restore(outgoing: Outgoing, draft = this.#session.current.draft): void {
    draft.restore(outgoing)
    const { toolId, options, draft: open } = this.#session.current
    const { tool_choice: tool } = outgoing.input.inference_options ?? {}
    const isOffered = options?.composer?.tools?.some(({ id }) => id === tool?.id)
    if (draft === open && toolId === null && tool && isOffered) this.#session.chooseTool(tool.id)
  }

  dropWaiting(outgoing: Outgoing): void {
    const { draft } = this.#session.current
    const { waiting } = draft.state.get()
    draft.state.set({ waiting: waiting.filter((each) => each !== outgoing) })
  }

  /** Send the next queued message, unless the user should first see how the response ended. */
  next({ isStopped, hasFailed, turn }: End): void {
    const { draft, thread, isResponding } = this.#session.current
    const [first] = draft.state.get().waiting
    const isAsked = thread.items.some(isAsking)
    const isNormal = turn === null ? !isAsked && thread.error === null : turn.state === 'completed'
    if (first === undefined || isResponding || isStopped || hasFailed || !isNormal) return
    void this.sendWaiting(first)
  }

  /** Resume sending the open thread's unconfirmed and queued messages. */
  resume(isLive: boolean): void {
    const { draft, thread, isResponding } = this.#session.current
    const { outgoing, waiting } = draft.state.get()
    if (outgoing !== null && !this.#responses.isSending) {
      if (isThere(outgoing, thread.items)) {
        draft.state.set({ outgoing: null })
      } else if (!isLive) {
        this.restore(outgoing)
      } else if (isResponding) {
        draft.state.set({ outgoing: null, waiting: [outgoing, ...waiting] })
      } else {
        void this.#dispatch(outgoing)
        return
      }
    }
    if (isLive && thread.turn?.state === 'completed') {
      this.next({ isStopped: false, hasFailed: false, turn: thread.turn })
    }
  }

  #outgoing(params: SendParams): Outgoing | null {
    const { toolId, draft, options } = this.#session.current
    const written = contentFrom(params) ?? noContent
    const content = sendable(written)
    const attachments = (params.attachments ?? []) as Attachment[]
    if (content.length === 0 && attachments.length === 0) return null
    const tool = params.toolChoice ?? (toolId === null ? undefined : { id: toolId })
    const model = params.model ?? nextModel(this.#session.current) ?? undefined
    if (params.toolChoice === undefined && toolId !== null) {
      const option = options?.composer?.tools?.find((each) => each.id === toolId)
      if (!option?.persistent) this.#session.chooseTool(null)
    }
    const sending = { content: written, attachments, reply: params.reply ?? null }
    return {
      requestId: draft.requestIdOf(sending) ?? randomId(),
      sending,
      input: {
        content,
        attachments: attachments.map((attachment) => attachment.id),
        quoted_text: params.reply,
        inference_options: { ...(tool && { tool_choice: tool }), ...(model && { model }) },
      } as UserMessageInput,
    }
  }

  async #dispatch(given: Outgoing): Promise<Error | null> {
    const { draft, threadId, thread } = this.#session.current
    const { requestId, sending, input } = given
    const isLoaded = threadId === null || thread.thread !== null
    const after = thread.items.findLast(({ type }) => type === 'user_message')?.id ?? null
    const outgoing = { ...given, ...(isLoaded && { after }) }
    this.#session.state.set({ sending })
    draft.state.set({ outgoing, returned: null })
    // The page may close at any moment.
    this.#session.drafts.keep(draft)
    const forgetOutgoing = (): void => {
      if (draft.state.get().outgoing?.requestId === requestId) draft.state.set({ outgoing: null })
    }
    const ask = {
      sending,
      requestId,
      onAccepted: forgetOutgoing,
      onReturned: (isElsewhere: boolean) => {
        forgetOutgoing()
        const { waiting } = draft.state.get()
        // Another tab was faster: queue the message until that response ends.
        if (isElsewhere) draft.state.set({ waiting: [outgoing, ...waiting] })
        else this.restore(outgoing, draft)
      },
    }
    return threadId === null
      ? this.#responses.respond({ ...ask, type: 'threads.create', params: { input } })
      : this.#responses.respond({
          ...ask,
          type: 'threads.add_user_message',
          params: { thread_id: threadId, input },
        })
  }

  /** Ask for another response to a message, which replaces all items after it. */
  async retry(message: UserMessageItem): Promise<void> {
    await this.#replace(message, message.content, {})
  }

  /** Replace a message's content, and ask for a new response. */
  async edit(message: UserMessageItem, content: UserMessageInput['content']): Promise<void> {
    const input = {
      content,
      attachments: (message.attachments ?? []).map((attachment) => attachment.id),
      quoted_text: message.quoted_text,
      inference_options: message.inference_options,
    }
    const { draft } = this.#session.current
    const onReturned = (): void => draft.enter(message.id, { edit: content })
    draft.enter(message.id, { edit: content, isSent: true })
    // The page may close at any moment.
    this.#session.drafts.keep(draft)
    await this.#replace(message, content, { metadata: { input }, onReturned })
  }

  async #replace(
    message: UserMessageItem,
    content: UserMessageItem['content'],
    request: Pick<ResponseRequest, 'metadata' | 'onReturned'>,
  ): Promise<void> {
    const { threadId, draft } = this.#session.current
    if (threadId === null) return
    await this.#responses.respond({
      type: 'threads.retry_after_item',
      params: { thread_id: threadId, item_id: message.id },
      ...request,
      onAccepted: (isLive) => {
        draft.enter(message.id, null)
        // Other servers do not report the items that they remove.
        if (!isLive) this.#cutAfter({ ...message, content })
      },
    })
  }

  #cutAfter(message: UserMessageItem): void {
    const { thread } = this.#session.current
    const index = thread.items.findIndex((item) => item.id === message.id)
    const items = [...thread.items.slice(0, index), message]
    this.#session.state.set({ thread: { ...thread, items } })
  }

  async answer(itemId: string, input: StructuredInputSubmission): Promise<void> {
    const { threadId } = this.#session.current
    if (threadId === null) return
    await this.#responses.respond({
      type: 'threads.add_structured_input',
      params: { thread_id: threadId, item_id: itemId, input },
    })
  }
}

/** Return whether an item waits for the user or for the page. */
function isAsking(item: ThreadItem): boolean {
  return (item.type === 'structured_input' || item.type === 'client_tool_call') && isPending(item)
}
