/** Answers: asked for, heard, and told of where they are lost. */

import { ProtocolError } from '../protocol/client'
import { runOf, type AnyEvent, type Heard, type Turn } from '../protocol/live'
import { endResponse, reduce, startResponse } from '../protocol/thread'
import { Asking, pause, type Ask } from './asking'
import { isOf } from './drafts'
import type { Live } from './live'
import { isAborted, type ChatState, type Session } from './session'
import { until } from './store'

interface Around {
  /** Show a thread as the server has it. */
  load: (threadId: string) => Promise<unknown>
  /** Called as an answer begins. */
  begun: () => void
  /** Called when one has ended. */
  ended: (end: End) => void
  /** Called when it is known how the open thread stands. */
  shown: () => void
  /** Tells of another thread than the open one. */
  tell: (event: AnyEvent) => void
}

/** How an answer has ended. */
export interface End {
  isStopped: boolean
  hasFailed: boolean
  /** How the server says that the turn ended, if it does. */
  turn: Turn | null
}

/** Milliseconds between the tries to send a request that may be repeated. */
const TRIES = [500, 1_000, 2_000, 4_000]

/** Milliseconds for which a request is heard beside the thread's stream. */
const OVERLAP = 1_000

/** What is told once, to those who hear it: it is not told again to who begins to follow. */
const PASSING = new Set(['progress_update', 'notice', 'client_effect'])

export class Responses {
  /** How many answers were asked for. */
  count = 0
  /** Whether the last turn was asked for by this page. */
  isLastOwn = true
  readonly #session: Session
  readonly #live: Live
  readonly #around: Around
  #asking: Asking | null = null
  /** The runs that this page has asked for: their effects are for it. */
  #runs = new Set<string>()
  /** The runs of which events were taken. */
  #known = new Set<string>()
  /** Events of the thread's stream that may be of the run that is asked for: nobody knows yet. */
  #held: Heard[] = []
  /** The ids of events that are told once, and were heard of the answer being written. */
  #passed = new Set<string>()
  /** The run whose turn has ended last. */
  #endedRun: string | null = null

  constructor(session: Session, live: Live, around: Around) {
    this.#session = session
    this.#live = live
    this.#around = around
  }

  /** Stop the answer that is being written, wherever it was asked for. */
  stop(): void {
    const asking = this.#asking
    if (asking !== null) asking.isStopped = true
    const { threadId, thread } = this.#session.current
    if (asking !== null && !asking.isLive) asking.abort.abort()
    else if (threadId !== null) this.#stopTurn(threadId, thread.turn)
  }

  #stopTurn(threadId: string, turn: Turn | null): void {
    const params = { thread_id: threadId, ...(turn?.state === 'running' && { turn_id: turn.id }) }
    this.#session.client
      ?.request('threads.stop', params)
      .catch((error: unknown) => this.#session.report(error))
  }

  /** Hear no more of the answer: another thread is opened. */
  leave(): void {
    const asking = this.#asking
    this.#asking = null
    this.#held = []
    asking?.abort.abort()
    asking?.end()
    if (this.#session.current.isResponding) this.#session.host.emit('chatkit.response.end')
  }

  /** Tell whether a message is on its way that the server may not have yet. */
  get isSending(): boolean {
    return this.#asking !== null && !this.#asking.isAccepted
  }

  /** Ask for an answer, and return why there is none once it has ended. */
  async respond(ask: Ask): Promise<Error | null> {
    if (this.#session.client === null || this.#session.current.isResponding) return null
    const asking = (this.#asking = new Asking(ask))
    this.count += 1
    this.#around.begun()
    this.#live.want()
    this.#update()
    let failure: Error | null = null
    try {
      await this.#send(asking)
    } catch (error) {
      if (this.#asking !== asking) return null
      if (!isAborted(error)) {
        failure = error as Error
        await (ask.onFailure?.(error) ?? this.#recover(asking, error))
      }
    }
    if (this.#asking !== asking) return failure
    await this.#settle(asking, asking.isStopped)
    if (this.#asking !== asking) return failure
    this.#asking = null
    this.#update(asking.isStopped, failure !== null || asking.isRefused)
    return failure
  }

  /** Take what comes by following the thread. */
  hear = (heard: Heard): void => {
    if (this.#mayBeOwn(heard)) this.#held.push(heard)
    else this.#hear(heard)
  }

  /** Whether an event may be of the run that is asked for, of which the request tells first. */
  #mayBeOwn({ id }: Heard): boolean {
    if (this.#asking?.isUnheard !== true) return false
    const run = runOf(id)
    return this.#held.length > 0 || (run !== null && !this.#known.has(run))
  }

  /** A request is heard, or not answered: what was held is taken. */
  #release(asking: Asking): void {
    asking.isUnheard = false
    if (this.#asking === asking) for (const heard of this.#held.splice(0)) this.#hear(heard)
  }

  #hear(heard: Heard): void {
    const run = runOf(heard.id)
    const asking = this.#asking
    if (asking !== null && run !== null && run === asking.run) this.#leaveToFollow(asking)
    this.#take(heard)
  }

  /**
   * The answer's events come by following: its own request is closed. What passed just before the
   * thread's stream began may still be on its way.
   */
  #leaveToFollow(asking: Asking): void {
    if (asking.isFollowed) return
    asking.isFollowed = true
    setTimeout(() => asking.abort.abort(), OVERLAP)
  }

  /** Send a request, again while nobody knows whether the server has it, and hear the answer. */
  async #send(asking: Asking): Promise<void> {
    for (let round = 0; ; round++) {
      try {
        asking.isUnheard = true
        const heard = this.#hearAnswer(asking).finally(() => this.#release(asking))
        await Promise.race([heard, asking.ended])
        break
      } catch (error) {
        if (asking.isFollowed) break
        if (!this.#mayRepeat(asking, error, round)) throw error
        this.#session.state.set({ isConnected: false })
        await pause(TRIES[round] as number, asking.abort.signal)
        if (asking.abort.signal.aborted) throw new ProtocolError('aborted', 'Stopped.')
      }
    }
    // A short answer may have come to its end before its request was heard.
    if (asking.run === this.#endedRun) asking.end()
    if (asking.isLive && asking.run !== null && !asking.hasEnded) await asking.ended
  }

  #mayRepeat(asking: Asking, error: unknown, round: number): boolean {
    if (!(error instanceof ProtocolError) || this.#live.canFollow !== true) return false
    const { kind, status = 0 } = error
    const isLost = kind === 'unreachable' || kind === 'lost' || [502, 503, 504].includes(status)
    return isLost && this.#asking === asking && round < TRIES.length
  }

  async #hearAnswer(asking: Asking): Promise<void> {
    const { client } = this.#session
    if (client === null) return
    const { type, params, metadata } = asking.ask
    const given = { ...this.#live.metadata(asking.requestId), ...metadata }
    const init = {
      signal: asking.abort.signal,
      ...(Object.keys(given).length > 0 && { metadata: given }),
    }
    for await (const heard of client.stream(type, params, init)) {
      if (this.#asking !== asking) return
      if (!this.#session.current.isConnected) this.#session.state.set({ isConnected: true })
      if (!asking.isAccepted) this.#begin(asking, heard)
      this.#release(asking)
      if (this.#live.isOn && asking.isLive && heard.event.type !== 'thread.created') {
        if (asking.run !== null && this.#live.hasHeard(asking.run)) this.#leaveToFollow(asking)
        if (PASSING.has(heard.event.type)) this.#take(heard)
        continue
      }
      this.#take(heard)
      if (asking.isLive) this.#live.note(heard.id)
      if (asking.isLive && heard.event.type === 'turn.updated') this.#follow(heard.id)
    }
    if (asking.isFollowed) return
    // Who follows may have read how the thread stands after the turn's end, and hears no more of it.
    if (asking.isLive && this.#live.isOn) void this.#live.refresh()
    else asking.end()
  }

  /** Note what the first event of an answer says. */
  #begin(asking: Asking, { id, event }: Heard): void {
    const isRefusal = event.type === 'notice' || event.type === 'error'
    if (event.can_follow === true) {
      this.#live.canFollow = true
      asking.isLive = true
      asking.run = runOf(id)
      if (asking.run !== null) this.#runs.add(asking.run)
    } else if (this.#live.canFollow === null && !isRefusal) {
      this.#live.canFollow = false
    }
    if (!asking.isLive && isRefusal) {
      asking.isRefused = true
      return
    }
    asking.isAccepted = true
    asking.isRefused = false
    asking.ask.onAccepted?.(asking.isLive)
    if (asking.isLive && asking.isStopped) this.stop()
  }

  /** The first events of a new thread are here: from now on it is followed. */
  #follow(after: string | null): void {
    const { threadId } = this.#session.current
    if (threadId !== null) this.#live.start(threadId, after, true)
  }

  /** Show what an event brings. */
  take(event: AnyEvent): void {
    this.#take({ id: null, event })
  }

  #take({ id, event }: Heard): void {
    const asking = this.#asking
    const run = runOf(id)
    if (run !== null) this.#known.add(run)
    const isOwn = asking !== null && (run === null || run === asking.run)
    if (event.type === 'threads.changed' || event.type === 'threads.deleted') {
      this.#around.tell(event)
      return
    }
    if (PASSING.has(event.type) && id !== null) {
      if (this.#passed.has(id)) return
      this.#passed.add(id)
    }
    if (isOwn && asking.ask.intercept?.(event)) return
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
      // An event that lacks what belongs to it is worth no more than an unknown one.
      console.warn(`An event of type ${event.type} cannot be read.`, error)
      return
    }
    const change: Partial<ChatState> = { thread }
    if (event.type === 'thread.created' && before.threadId !== event.thread.id) {
      change.threadId = event.thread.id
      if (before.threadId === null) this.#session.drafts.move(event.thread.id)
    } else if (event.type === 'thread.state') {
      const isShort = thread.items.length > event.items.data.length + event.open_items.length
      const older = event.items.has_more ? (event.items.after ?? null) : null
      Object.assign(change, { isLoading: false, loadError: null, ...(!isShort && { older }) })
    }
    if (this.#isSent(event, run)) change.sending = null
    if (thread !== before.thread || change.threadId !== undefined) this.#session.state.set(change)
    this.#tellOf(event, change)
    if (event.type === 'turn.updated' || event.type === 'thread.state') {
      const isEnd = event.turn?.state !== 'running'
      const isOfAsking =
        event.type === 'thread.state' || run === asking?.run || asking?.isFollowed === true
      if (isEnd && isOfAsking && asking?.isAccepted) asking.end()
      if (isEnd && run !== null && event.type === 'turn.updated') this.#endedRun = run
      if (event.type === 'turn.updated') this.isLastOwn = run === null || this.#runs.has(run)
      this.#update()
      if (event.type === 'thread.state') this.#around.shown()
    }
  }

  /** Tell whether an event is the message on its way, as the server has it. */
  #isSent(event: AnyEvent, run: string | null): boolean {
    const { sending } = this.#session.current
    if (sending === null) return false
    if (event.type === 'thread.state') {
      return event.items.data.some(
        (item) => item.type === 'user_message' && item.id === event.turn?.id && isOf(item, sending),
      )
    }
    if (event.type !== 'thread.item.done' || event.item.type !== 'user_message') return false
    const isOwn = run === null || run === this.#asking?.run
    return isOwn || (this.#asking?.run === null && isOf(event.item, sending))
  }

  #tellOf(event: AnyEvent, change: Partial<ChatState>): void {
    const { host } = this.#session
    if (change.threadId !== undefined) {
      host.emit('chatkit.thread.change', { threadId: change.threadId })
    } else if (event.type === 'error') {
      host.emit('chatkit.error', { error: new Error(event.message ?? event.code) })
    } else if (event.type === 'thread.deleted') {
      this.#around.tell(event)
    }
  }

  /** Begin or end the answer that is shown, as it was asked for here or runs elsewhere. */
  #update(isStopped = false, hasFailed = false): void {
    const { isResponding, thread } = this.#session.current
    const { turn } = thread
    const isNow = this.#asking !== null || turn?.state === 'running'
    if (isNow === isResponding) return
    if (isNow) {
      this.#session.state.set({ isResponding: true, thread: startResponse(thread) })
      this.#session.host.emit('chatkit.response.start')
      return
    }
    this.#passed.clear()
    this.#session.state.set({ isResponding: false, thread: endResponse(thread) })
    this.#session.host.emit('chatkit.response.end')
    this.#live.rest()
    this.#around.ended({ isStopped: isStopped || turn?.state === 'stopped', hasFailed, turn })
  }

  /**
   * Put a message that the server has not confirmed back to where it was written, and return whether
   * it is there: it may be in the thread all the same, if the server was not heard to the end.
   */
  async #settle(asking: Asking, mayBeTaken: boolean): Promise<boolean> {
    const { sending } = asking.ask
    const { sending: shown, threadId, thread } = this.#session.current
    if (sending === undefined || shown !== sending) return false
    if (asking.isLive && asking.isAccepted) {
      this.#session.state.set({ sending: null })
      return false
    }
    const known = new Set(thread.items.map((item) => item.id))
    if (threadId !== null && mayBeTaken && !asking.isRefused) await this.#around.load(threadId)
    if (this.#session.current.sending !== sending) return false
    const isTaken = this.#session.current.thread.items.some(
      (item) => item.type === 'user_message' && !known.has(item.id) && isOf(item, sending),
    )
    this.#session.state.set({ sending: null })
    const { turn } = this.#session.current.thread
    const isElsewhere = asking.isRefused && turn?.state === 'running'
    if (isTaken) asking.ask.onAccepted?.(false)
    else asking.ask.onReturned?.(isElsewhere)
    if (isTaken && asking.isStopped && threadId !== null && turn?.state === 'running') {
      this.#stopTurn(threadId, turn)
    }
    return !isTaken
  }

  /** Say what has happened, and show the thread as the server has it. */
  async #recover(asking: Asking, error: unknown): Promise<void> {
    this.#session.report(error)
    const { sending, threadId, thread } = this.#session.current
    if (sending === null && threadId !== null) await this.#around.load(threadId)
    const isBack = await this.#settle(asking, true)
    const isLive = this.#live.canFollow === true
    // What the server has is shown, and is going on.
    if (isLive && asking.ask.sending !== undefined && !isBack) return
    const message = this.#session.explain(error)
    // A message that goes back to the composer is sent again from there.
    const allowRetry = isLive ? asking.ask.type === 'threads.retry_after_item' : !isBack
    this.#session.state.set({
      thread: {
        ...(threadId === null ? thread : this.#session.current.thread),
        error: { code: 'connection', message, allowRetry },
      },
    })
  }

  /** Wait until no answer is being written. */
  async idle(): Promise<void> {
    await until(this.#session.state, () => !this.#session.current.isResponding)
  }
}
