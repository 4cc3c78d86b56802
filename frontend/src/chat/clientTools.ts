/** Client tools: runs the tool calls that the server leaves to the app. */

import { isPending, reduce, statusOf } from '../protocol/thread'
import type { ClientToolCallItem, ThreadItem } from '../protocol/types'
import type { Live } from './live'
import type { Responses } from './responses'
import { messageOf, type Session } from './session'

/** Milliseconds after which another page's claim to a call has expired, with a margin. */
const CLAIMED_FOR = 61_000

/** Milliseconds until a failed claim is retried. */
const RETRY = 5_000

export class ClientTools {
  readonly #session: Session
  readonly #responses: Responses
  readonly #live: Live
  #called = new Set<string>()

  constructor(session: Session, responses: Responses, live: Live) {
    this.#session = session
    this.#responses = responses
    this.#live = live
  }

  /** Run the pending tool call, if there is one and no other page runs it. */
  async call(): Promise<void> {
    const { thread, threadId, options, isResponding } = this.#session.current
    const call = thread.items.findLast(isPendingCall)
    if (call === undefined || threadId === null || isResponding || this.#called.has(call.id)) return
    // The server refuses the output while the thread is locked or closed.
    if (statusOf(thread) !== 'active') return
    // A page without tools answers only the calls of its own turns.
    if (options?.onClientTool === undefined && !this.#responses.isLastOwn) return
    this.#called.add(call.id)
    if (this.#live.canFollow === true && !(await this.#claim(threadId, call))) {
      this.#called.delete(call.id)
      return
    }
    const output = await this.#run(call)
    await this.#session.whenIdle(threadId, () => this.#send(threadId, call, output))
  }

  async #send(threadId: string, call: ClientToolCallItem, output: unknown): Promise<void> {
    const { thread } = this.#session.current
    const index = thread.items.findLastIndex(({ id }) => id === call.id)
    // A message declines the call, and another answer to an earlier message removes it.
    if (thread.items.slice(index + 1).some(({ type }) => type === 'user_message')) return
    this.#session.state.set({
      thread: reduce(thread, {
        type: 'thread.item.replaced',
        item: { ...call, status: 'completed', output },
      }),
    })
    await this.#responses.respond({
      type: 'threads.add_client_tool_output',
      params: { thread_id: threadId, result: output ?? null },
      metadata: { call_id: call.call_id },
    })
  }

  async #run(call: ClientToolCallItem): Promise<unknown> {
    const { options } = this.#session.current
    try {
      if (options?.onClientTool === undefined) {
        throw new Error(`This page has no onClientTool to run the tool ${call.name}.`)
      }
      return await options.onClientTool({ name: call.name, params: call.arguments })
    } catch (error) {
      this.#session.report(error)
      return { error: messageOf(error) }
    }
  }

  /** Claim a call for this page, and return whether it got it; a claim expires. */
  async #claim(threadId: string, call: ClientToolCallItem): Promise<boolean> {
    const params = { thread_id: threadId, item_id: call.id }
    const metadata = { page_id: this.#live.page }
    try {
      const answer = await this.#session.client?.request('threads.claim_tool', params, { metadata })
      if (answer?.status === 'taken') setTimeout(() => void this.call(), CLAIMED_FOR)
      return answer?.status === 'claimed'
    } catch (error) {
      this.#session.report(error)
      setTimeout(() => void this.call(), RETRY)
      return false
    }
  }
}

function isPendingCall(item: ThreadItem): item is ClientToolCallItem {
  return item.type === 'client_tool_call' && isPending(item)
}
