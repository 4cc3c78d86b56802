/** Answers: asked for, heard, and told of where they are lost. */

import type { ProtocolClient } from '../protocol/client'
import { endResponse, reduce, startResponse } from '../protocol/thread'
import type { ThreadStreamEvent } from '../protocol/types'
import { sendable, textOf } from '../composer/content'
import { isAborted, type ChatState, type Session } from './session'

interface Around {
  /** Show a thread as the server has it. */
  load: (threadId: string) => Promise<unknown>
  /** Called as an answer begins. */
  begun: () => void
  /** Called when one has ended. */
  ended: (isStopped: boolean, hasFailed: boolean) => Promise<void>
}

/** Asks the server for an answer. */
export type Ask = (
  client: ProtocolClient,
  init: { signal: AbortSignal; metadata?: Record<string, unknown> },
) => AsyncGenerator<ThreadStreamEvent, void, void>

export class Responses {
  /** How many answers were asked for. */
  count = 0
  readonly #session: Session
  readonly #around: Around
  #streaming: AbortController | null = null

  constructor(session: Session, around: Around) {
    this.#session = session
    this.#around = around
  }

  /** Stop the answer that is being written. */
  stop(): void {
    this.#streaming?.abort()
  }

  /** Hear no more of the answer: another thread is opened. */
  leave(): void {
    this.#streaming?.abort()
  }

  /** Ask for an answer, and return why there is none once it has ended. */
  async respond(
    open: Ask,
    recover: (error: unknown) => Promise<void> = (error) => this.#recover(error),
  ): Promise<Error | null> {
    const client = this.#session.client
    if (client === null || this.#session.current.isResponding) return null
    let failure: Error | null = null
    this.count += 1
    this.#around.begun()
    const streaming = (this.#streaming = new AbortController())
    this.#session.state.set({
      isResponding: true,
      thread: startResponse(this.#session.current.thread),
    })
    this.#session.host.emit('chatkit.response.start')
    try {
      for await (const event of open(client, { signal: streaming.signal })) {
        if (this.#streaming !== streaming) return null
        this.take(event)
      }
    } catch (error) {
      if (this.#streaming !== streaming) return null
      if (!isAborted(error)) {
        failure = error as Error
        await recover(error)
      }
    } finally {
      if (this.#streaming === streaming) await this.#settle(streaming.signal.aborted)
      if (this.#streaming === streaming) {
        this.#streaming = null
        this.#session.state.set({
          isResponding: false,
          thread: endResponse(this.#session.current.thread),
        })
        this.#session.host.emit('chatkit.response.end')
      }
    }
    await this.#around.ended(streaming.signal.aborted, failure !== null)
    return failure
  }

  /** Show what an event brings. */
  take(event: ThreadStreamEvent): void {
    let { thread } = this.#session.current
    try {
      thread = reduce(thread, event)
    } catch (error) {
      // An event that lacks what belongs to it is worth no more than an unknown one.
      console.warn(`An event of type ${event.type} cannot be read.`, error)
      return
    }
    const change: Partial<ChatState> = { thread }
    if (event.type === 'thread.created') {
      change.threadId = event.thread.id
      if (this.#session.current.threadId === null) this.#session.drafts.move(event.thread.id)
    } else if (event.type === 'client_effect') {
      this.#session.host.emit('chatkit.effect', { name: event.name, data: event.data ?? {} })
    } else if (event.type === 'thread.item.done' && event.item.type === 'user_message') {
      change.sending = null
    }
    if (thread !== this.#session.current.thread || change.threadId !== undefined) this.#session.state.set(change)
    if (event.type === 'thread.created') {
      this.#session.host.emit('chatkit.thread.change', { threadId: event.thread.id })
    } else if (event.type === 'error') {
      const error = new Error(event.message ?? event.code)
      this.#session.host.emit('chatkit.error', { error })
    }
  }

  /**
   * Put a message that the server has not confirmed back to where it was written, and return whether
   * it is there: it may be in the thread all the same, if the server was not heard to the end.
   */
  async #settle(mayBeTaken: boolean): Promise<boolean> {
    const { sending, threadId, thread, draft } = this.#session.current
    if (sending === null) return false
    const known = new Set(thread.items.map((item) => item.id))
    if (threadId !== null && mayBeTaken) await this.#around.load(threadId)
    if (this.#session.current.sending !== sending) return false
    const said = textOf(sendable(sending.content))
    const isBack = !this.#session.current.thread.items.some(
      (item) =>
        item.type === 'user_message' && !known.has(item.id) && textOf(item.content) === said,
    )
    this.#session.state.set({ sending: null })
    if (isBack) draft.restore(sending)
    return isBack
  }

  /** Say what has happened, and show the thread as the server has it. */
  async #recover(error: unknown): Promise<void> {
    this.#session.report(error)
    const { sending, threadId, thread } = this.#session.current
    if (sending === null && threadId !== null) await this.#around.load(threadId)
    const isBack = await this.#settle(true)
    const message = this.#session.explain(error)
    this.#session.state.set({
      thread: {
        ...(threadId === null ? thread : this.#session.current.thread),
        // A message that goes back to the composer is sent again from there.
        error: { code: 'connection', message, allowRetry: !isBack },
      },
    })
  }

  /** Wait until no answer is being written. */
  async idle(): Promise<void> {
    while (this.#session.current.isResponding) {
      await new Promise<void>((resolve) => {
        const stop = this.#session.state.subscribe(() => {
          if (this.#session.current.isResponding) return
          stop()
          resolve()
        })
      })
    }
  }
}
