/** Client tools: calls that the server waits for, made by the app. */

import { reduce } from '../protocol/thread'
import type { ClientToolCallItem, ThreadItem } from '../protocol/types'
import type { Responses } from './responses'
import { messageOf, type Session } from './session'

export class ClientTools {
  readonly #session: Session
  readonly #responses: Responses
  #called = new Set<string>()

  constructor(session: Session, responses: Responses) {
    this.#session = session
    this.#responses = responses
  }

  /** Make the call that the server waits for, if there is one. */
  async call(): Promise<void> {
    const { thread, threadId, options } = this.#session.current
    const call = thread.items.findLast(isPendingCall)
    if (call === undefined || threadId === null || this.#called.has(call.id)) return
    this.#called.add(call.id)
    let result: unknown
    try {
      if (options?.onClientTool === undefined) {
        throw new Error(`This page has no client tools, and ${call.name} was called.`)
      }
      result = await options.onClientTool({ name: call.name, params: call.arguments })
    } catch (error) {
      result = { error: messageOf(error) }
      this.#session.report(error)
    }
    if (this.#session.current.threadId !== threadId) return
    const metadata = { call_id: call.call_id }
    this.#session.state.set({
      thread: reduce(this.#session.current.thread, {
        type: 'thread.item.replaced',
        item: { ...call, status: 'completed', output: result },
      }),
    })
    await this.#responses.respond((client, init) =>
      client.stream(
        'threads.add_client_tool_output',
        { thread_id: threadId, result: result ?? null },
        { ...init, metadata },
      ),
    )
  }
}

function isPendingCall(item: ThreadItem): item is ClientToolCallItem {
  return item.type === 'client_tool_call' && (item.status ?? 'pending') === 'pending'
}
