/** Requests responses, applies their events, and recovers from lost connections. */

import { ProtocolError } from '../protocol/client'
import { isBefore, runOf, type AnyEvent, type Received } from '../protocol/live'
import { endResponse, reduce, startResponse } from '../protocol/thread'
import { PendingResponse, type End, type ResponseRequest } from './pendingResponse'
import { isLost, pause, RETRY_DELAYS } from './retry'
import { isOf, isSent } from './drafts'
import type { Live } from './live'
import { isAborted, type ChatState, type Session } from './session'
import { stopLeft } from './stop'
import { isAnswered, LOST } from './threads'

interface Callbacks {
  /** Reloads a thread from the server, and returns the error if it could not be loaded. */
  load: (threadId: string) => Promise<Error | null>
  /** Called when a response starts. */
  started: () => void
  /** Called when a response ends. */
  ended: (end: End) => void
  /** Called when the open thread's state is known. */
  shown: () => void
  /** Called with an event about a thread as a whole. */
  tell: (event: AnyEvent) => void
}

/** Milliseconds for which to read a request's own stream beside the thread's stream. */
const OVERLAP = 1_000

/** Events that the server sends only once: it does not repeat them to later followers. */
const TRANSIENT = new Set(['progress_update', 'notice', 'client_effect'])

export class Responses {
  /** The number of responses requested. */
  count = 0
  /** Whether this page requested the last turn. */
  isLastOwn = true
  readonly #session: Session
  readonly #live: Live
  readonly #callbacks: Callbacks
  #pending: PendingResponse | null = null
  /** The runs that this page requested: it handles only their client effects. */
  #runs = new Set<string>()
  /** The runs with events that were applied. */
  #known = new Set<string>()
  /** Events of the thread's stream that may belong to the requested run, not known by ID yet. */
  #held: Received[] = []
  /** The IDs of the current response's one-time events, which may arrive on two streams. */
  #transient = new Set<string>()
  /** The ID of the newest event that was applied. */
  #newest: string | null = null
  /** The run whose turn ended last. */
  #endedRun: string | null = null

  constructor(session: Session, live: Live, callbacks: Callbacks) {
    this.#session = session
    this.#live = live
    this.#callbacks = callbacks
  }

  /** Stop the current response, even one that another page requested. */
  stop(): void {
    const pending = this.#pending
    const { isStopping, isResponding, thread } = this.#session.current
    // A second stop does not wait for the reply.
    if (isStopping && pending?.hasNoReply) pending.end()
    if (isStopping || !isResponding) return
    this.#session.state.set({ isStopping: true, thread: { ...thread, error: null } })
    if (pending !== null) pending.isStopped = true
    this.#stop()
  }

  #stop(): void {
    const pending = this.#pending
    const { threadId, thread } = this.#session.current
    // Only the reply names a new thread.
    if (threadId === null && pending?.hasNoReply && this.#live.canFollow !== false) return
    if (pending !== null && !pending.isLive) pending.abort.abort()
    else if (threadId !== null) this.#live.stopTurn(threadId, thread.turn)
  }

  /** Stop receiving the current response, because another thread opens. */
  leave(): void {
    const pending = this.#pending
    const { threadId, isResponding } = this.#session.current
    this.#pending = null
    this.#held = []
    if (!pending?.isStopped || !pending.hasNoReply) pending?.abort.abort()
    pending?.end()
    // Without a thread, nothing shows later whether the message arrived.
    if (threadId === null && pending?.isAccepted === false) pending.request.onReturned?.(false)
    if (isResponding) this.#session.host.emit('chatkit.response.end')
  }

  /** Whether there is a request that the server has not accepted yet. */
  get isSending(): boolean {
    return this.#pending !== null && !this.#pending.isAccepted
  }

  /** Request a response, wait for it to end, and return the error if the request failed. */
  async respond(request: ResponseRequest): Promise<Error | null> {
    if (this.#session.client === null || this.#session.current.isResponding) return null
    const pending = (this.#pending = new PendingResponse(request))
    this.count += 1
    this.#callbacks.started()
    this.#live.takeStream()
    this.#update()
    let failure: Error | null = null
    try {
      await this.#send(pending)
    } catch (error) {
      if (this.#pending !== pending) return null
      if (!isAborted(error)) {
        failure = error as Error
        await (request.onFailure?.(error) ?? this.#recover(pending, error))
      }
    }
    if (this.#pending !== pending) return failure
    const isBack = await this.#settleMessage(pending, pending.isStopped)
    const isRefused = pending.isRefused || (isBack && request.sending !== undefined)
    if (isRefused) this.#session.state.set({ isStopping: false })
    else if (pending.isStopped) await this.#stopStarted(pending)
    if (this.#pending !== pending) return failure
    this.#pending = null
    this.#update(pending.isStopped, failure !== null || pending.isRefused)
    return failure
  }

  /** Receive an event of the thread's stream. */
  receive = (received: Received): void => {
    if (this.#mayBelongToPending(received)) this.#held.push(received)
    else this.#receive(received)
  }

  /** Return whether an event may belong to the requested run, whose ID only the request reports. */
  #mayBelongToPending({ id }: Received): boolean {
    if (this.#pending?.hasNoReply !== true) return false
    const run = runOf(id)
    return this.#held.length > 0 || (run !== null && !this.#known.has(run))
  }

  /** Apply the events that were held until the request got a reply or failed. */
  #applyHeld(pending: PendingResponse): void {
    pending.hasNoReply = false
    if (this.#pending === pending) for (const each of this.#held.splice(0)) this.#receive(each)
  }

  #receive(received: Received): void {
    const run = runOf(received.id)
    const pending = this.#pending
    if (pending !== null && run !== null && run === pending.run) this.#closeOwnStream(pending)
    this.#apply(received)
  }

  /** Close the request's own stream soon; earlier events may still be on their way there. */
  #closeOwnStream(pending: PendingResponse): void {
    if (pending.isFollowed) return
    pending.isFollowed = true
    setTimeout(() => pending.abort.abort(), OVERLAP)
  }

  /** Send a request and read the response; retry if the server may not have received it. */
  async #send(pending: PendingResponse): Promise<void> {
    for (let round = 0; ; round++) {
      try {
        pending.hasNoReply = true
        const reading = this.#readResponse(pending).finally(() => this.#applyHeld(pending))
        await Promise.race([reading, pending.ended])
        break
      } catch (error) {
        if (pending.isFollowed) break
        if (!this.#mayRepeat(pending, error, round)) throw error
        this.#session.state.set({ isConnected: false })
        await pause(RETRY_DELAYS[round] as number, pending.abort.signal)
        if (pending.abort.signal.aborted) throw new ProtocolError('aborted', 'Stopped.')
      }
    }
    // A short response may have ended before the request got a reply.
    if (pending.run === this.#endedRun) pending.end()
    if (pending.isLive && pending.run !== null && !pending.hasEnded) await pending.ended
  }

  #mayRepeat(pending: PendingResponse, error: unknown, round: number): boolean {
    if (this.#pending !== pending || pending.isStopped) return false
    return this.#live.canFollow === true && isLost(error) && round < RETRY_DELAYS.length
  }

  async #readResponse(pending: PendingResponse): Promise<void> {
    const { client } = this.#session
    if (client === null) return
    const { type, params, metadata } = pending.request
    const given = { ...this.#live.metadata(pending.requestId), ...metadata }
    const init = {
      signal: pending.abort.signal,
      ...(Object.keys(given).length > 0 && { metadata: given }),
    }
    for await (const received of client.stream(type, params, init)) {
      if (this.#pending !== pending && !(await stopLeft(client, pending, received))) return
      if (this.#pending !== pending) continue
      if (!this.#session.current.isConnected) this.#session.state.set({ isConnected: true })
      if (!pending.isAccepted) this.#readFirst(pending, received)
      this.#applyHeld(pending)
      if (this.#live.isOn && pending.isLive && received.event.type !== 'thread.created') {
        if (pending.run !== null && this.#live.hasReceived(pending.run))
          this.#closeOwnStream(pending)
        if (TRANSIENT.has(received.event.type)) this.#apply(received)
        continue
      }
      this.#apply(received)
      if (pending.isLive) this.#live.note(received.id)
      if (pending.isLive && received.event.type === 'turn.updated') this.#follow(received.id)
    }
    if (pending.isFollowed) return
    // The follower may have loaded the thread's state after the turn ended, and gets no end event.
    if (pending.isLive && this.#live.isOn) void this.#live.refresh()
    else pending.end()
  }

  /** Learn from a response's first event whether the request was accepted. */
  #readFirst(pending: PendingResponse, { id, event }: Received): void {
    const isRefusal = event.type === 'notice' || event.type === 'error'
    if (event.can_follow === true) {
      this.#live.canFollow = true
      pending.isLive = true
      pending.run = runOf(id)
      if (pending.run !== null) this.#runs.add(pending.run)
    } else if (this.#live.canFollow === null && !isRefusal) {
      this.#live.canFollow = false
    }
    if (!pending.isLive && isRefusal) {
      pending.isRefused = true
      return
    }
    pending.isAccepted = true
    pending.isRefused = false
    pending.request.onAccepted?.(pending.isLive)
    if (!pending.isLive && pending.isStopped) this.#stop()
  }

  /** Follow a new thread from its first events, or show a thread that could not be loaded. */
  #follow(after: string | null): void {
    const { threadId, loadError } = this.#session.current
    if (threadId !== null) this.#live.start(threadId, loadError === null ? after : null, true)
    if (this.#pending?.isStopped) this.#stop()
  }

  /** Apply an event to the chat. */
  take(event: AnyEvent): void {
    this.#apply({ id: null, event })
  }

  #apply({ id, event }: Received): void {
    const pending = this.#pending
    const run = runOf(id)
    if (run !== null) this.#known.add(run)
    const isOwn = pending !== null && (run === null || run === pending.run)
    if (event.type === 'threads.changed' || event.type === 'threads.deleted') {
      this.#callbacks.tell(event)
      return
    }
    if (TRANSIENT.has(event.type) && id !== null) {
      if (this.#transient.has(id)) return
      this.#transient.add(id)
    }
    if (isOwn && pending.request.intercept?.(event)) return
    if (event.type === 'client_effect') {
      if (run === null || this.#runs.has(run)) {
        this.#session.host.emit('chatkit.effect', { name: event.name, data: event.data ?? {} })
      }
      return
    }
    const before = this.#session.current
    let { thread } = before
    try {
      thread = reduce(thread, event)
    } catch (error) {
      // Ignore an event with missing fields, like an event of an unknown type.
      console.warn(`An event of type ${event.type} cannot be read.`, error)
      return
    }
    const { progress } = before.thread
    // One of two streams may be behind: the current activity follows the newest event.
    if (!isBefore(id, this.#newest)) this.#newest = id ?? this.#newest
    else if (thread.progress !== progress) thread = { ...thread, progress }
    const change: Partial<ChatState> = { thread }
    if (event.type === 'thread.created' && before.threadId !== event.thread.id) {
      change.threadId = event.thread.id
      if (before.threadId === null) this.#session.drafts.move(event.thread.id)
    } else if (event.type === 'thread.state') {
      const isShort = thread.items.length > event.items.data.length + event.open_items.length
      const older = event.items.has_more ? (event.items.after ?? null) : null
      Object.assign(change, { isLoading: false, loadError: null, ...(!isShort && { older }) })
    }
    const { sending } = before
    if (sending !== null && isSent(sending, event, run, pending?.run)) change.sending = null
    if (thread !== before.thread || change.threadId !== undefined) this.#session.state.set(change)
    this.#emitChange(event, change)
    if (event.type === 'turn.updated' || event.type === 'thread.state') {
      const isEnd = event.turn?.state !== 'running'
      const isOfPending =
        event.type === 'thread.state' || run === pending?.run || pending?.isFollowed === true
      if (isEnd && isOfPending && pending?.isAccepted) pending.end()
      if (isEnd && run !== null && event.type === 'turn.updated') this.#endedRun = run
      if (event.type === 'turn.updated') this.isLastOwn = run === null || this.#runs.has(run)
      this.#update()
      if (event.type === 'thread.state') this.#callbacks.shown()
    }
  }

  #emitChange(event: AnyEvent, change: Partial<ChatState>): void {
    const { host } = this.#session
    if (change.threadId !== undefined) {
      host.emit('chatkit.thread.change', { threadId: change.threadId })
    } else if (event.type === 'error') {
      host.emit('chatkit.error', { error: new Error(event.message ?? event.code) })
    } else if (event.type === 'thread.deleted') {
      this.#callbacks.tell(event)
    }
  }

  /** Start or end the response as shown, whether this page or another one requested it. */
  #update(isStopped = false, hasFailed = false): void {
    const { isResponding, thread } = this.#session.current
    const { turn } = thread
    const isNow = this.#pending !== null || turn?.state === 'running'
    if (isNow === isResponding) return
    if (isNow) {
      this.#session.state.set({ isResponding: true, thread: startResponse(thread) })
      this.#session.host.emit('chatkit.response.start')
      return
    }
    this.#transient.clear()
    const ended = { isResponding: false, isStopping: false }
    this.#session.state.set({ ...ended, thread: endResponse(thread) })
    this.#session.host.emit('chatkit.response.end')
    this.#live.stopIfIdle()
    this.#callbacks.ended({ isStopped: isStopped || turn?.state === 'stopped', hasFailed, turn })
  }

  /**
   * Return an unconfirmed message to its draft, unless the server has it after all; return whether
   * it went back. `mayBeTaken` says whether to check the thread first.
   */
  async #settleMessage(pending: PendingResponse, mayBeTaken: boolean): Promise<boolean> {
    const { sending } = pending.request
    const { sending: shown, threadId, thread } = this.#session.current
    if (sending === undefined) return pending.returnEdit()
    if (shown !== sending) return false
    if (pending.isLive && pending.isAccepted) {
      this.#session.state.set({ sending: null })
      return false
    }
    const known = new Set(thread.items.map((item) => item.id))
    if (threadId !== null && mayBeTaken && !pending.isRefused) await this.#callbacks.load(threadId)
    if (this.#session.current.sending !== sending) return false
    const isTaken = this.#session.current.thread.items.some(
      (item) => item.type === 'user_message' && !known.has(item.id) && isOf(item, sending),
    )
    this.#session.state.set({ sending: null })
    const { turn } = this.#session.current.thread
    const isElsewhere = pending.isRefused && turn?.state === 'running'
    if (isTaken) pending.request.onAccepted?.(false)
    else pending.request.onReturned?.(isElsewhere)
    return !isTaken
  }

  /** Stop the turn of a request that was aborted before its reply, if the server started it. */
  async #stopStarted({ isLive, request }: PendingResponse): Promise<void> {
    const { threadId } = this.#session.current
    if (isLive || threadId === null || this.#live.canFollow !== true) return
    if (request.sending === undefined) await this.#callbacks.load(threadId)
    const { turn } = this.#session.current.thread
    if (turn?.state === 'running') this.#live.stopTurn(threadId, turn)
  }

  /** Report an error, and reload the thread from the server. */
  async #recover(pending: PendingResponse, error: unknown): Promise<void> {
    this.#session.report(error)
    const { sending, threadId, thread } = this.#session.current
    const isLoaded =
      sending === null && threadId !== null && (await this.#callbacks.load(threadId)) === null
    const isBack = await this.#settleMessage(pending, true)
    const isLive = this.#live.canFollow === true
    // The server has the message, and its response is shown.
    if (isLive && pending.request.sending !== undefined && !isBack) return
    const message = this.#session.explain(error)
    const isThere = isLoaded && isAnswered(this.#session.current.thread.items, thread.items)
    // If the message is back in its editor, the user sends it again from there.
    const allowRetry = isLive
      ? pending.request.type === 'threads.retry_after_item' && !isBack
      : !isBack && !isThere
    this.#session.state.set({
      thread: {
        ...(threadId === null ? thread : this.#session.current.thread),
        error: { code: LOST, message, allowRetry, seen: thread.items },
      },
    })
  }
}
