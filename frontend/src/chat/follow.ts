/** Follows a thread, through a stream of this tab or of another tab in the same browser. */

import { ProtocolError, type ProtocolClient } from '../protocol/client'
import { runOf, type Received } from '../protocol/live'
import { canShare, Stream, withLock } from './tabs'

/** The thread's state, for another tab that starts listening. */
export interface Snapshot {
  thread: unknown
  older: string | null
}

/** The messages between tabs that show the same thread. */
type TabMessage =
  | { kind: 'event'; before: string | null; heard: Received }
  /** Asks for the thread's state. */
  | { kind: 'hello' }
  | { kind: 'state'; last: string | null; snapshot: Snapshot }
  /** Ask the tab with the stream to reload the thread, or to get a stream for it. */
  | { kind: 'refresh' }
  | { kind: 'want' }

interface Context {
  client: () => ProtocolClient | null
  /** The browser's ID: its stream receives the client effects of all requests of its tabs. */
  page: string
  url: string
  receive: (received: Received) => void
  snapshot: () => Snapshot
  restore: (snapshot: Snapshot) => void
  /** Loads the thread with this tab's own login; returns whether the server allows it. */
  authorize: () => Promise<boolean>
  isBusy: () => boolean
  /** Called when the stream is lost, and when it is back. */
  connected: (isConnected: boolean) => void
  /** Called when the server refuses to let this tab follow the thread. */
  refused: (error: ProtocolError) => void
}

/** Milliseconds between two attempts to connect, at most. */
const MAX_DELAY = 10_000

export class Follow {
  /** The ID of the last event. */
  last: string | null
  readonly #context: Context
  readonly #stream: Stream
  #channel: BroadcastChannel | null = null
  #following: AbortController | null = null
  #connection: AbortController | null = null
  #isLeading = false
  /** Whether the thread's state is known. */
  #isSynced: boolean
  #runs = new Set<string>()
  #isClosed = false
  #skipPause: () => void = () => {}

  constructor(
    readonly threadId: string,
    context: Context,
    after: string | null,
    /** Whether the server has already let this tab see the thread. */
    private isAuthorized: boolean,
  ) {
    this.#context = context
    this.last = after
    this.#isSynced = after !== null
    this.#stream = new Stream(new URL(context.url).host)
    document.addEventListener('visibilitychange', this.#onVisibility)
    window.addEventListener('online', this.#reconnect)
    window.addEventListener('focus', this.takeStream)
    if (!document.hidden) this.#resume()
  }

  /** Whether events arrive, or are about to. */
  get isOn(): boolean {
    return this.#following !== null
  }

  close(): void {
    this.#isClosed = true
    this.#pause()
    document.removeEventListener('visibilitychange', this.#onVisibility)
    window.removeEventListener('online', this.#reconnect)
    window.removeEventListener('focus', this.takeStream)
  }

  /** Return whether an event of a run arrived through the thread's stream. */
  hasReceived(run: string): boolean {
    return this.#runs.has(run)
  }

  /** Take a stream, even from another thread. */
  takeStream = (): void => {
    if (this.#isLeading) this.#stream.take()
    else this.#post({ kind: 'want' })
  }

  /** Reload the thread's state. */
  refresh(): void {
    if (!this.#isLeading) {
      this.#post({ kind: 'refresh' })
      return
    }
    this.last = null
    this.#reconnect()
  }

  /** Stop following if the page is hidden and no response is in progress. */
  stopIfIdle(): void {
    if (document.hidden && !this.#context.isBusy()) this.#pause()
  }

  #onVisibility = (): void => {
    if (document.hidden) this.stopIfIdle()
    else if (this.#following === null) this.#resume()
    else this.#reconnect()
  }

  #resume(): void {
    if (this.#isClosed) return
    const following = (this.#following = new AbortController())
    void this.#join(following.signal).catch((error: unknown) => {
      if (!following.signal.aborted) console.warn('The thread cannot be followed.', error)
    })
  }

  #pause(): void {
    this.#following?.abort()
    this.#following = null
    this.#channel?.close()
    this.#channel = null
    this.#skipPause()
  }

  async #join(signal: AbortSignal): Promise<void> {
    if (!(await canShare())) {
      this.#isLeading = true
      await this.#connect(signal)
      this.#isLeading = false
      return
    }
    if (signal.aborted) return
    const name = `chatkit ${this.#context.url} ${this.threadId}`
    const channel = (this.#channel = new BroadcastChannel(name))
    channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#onMessage(data)
    const lead = (): Promise<void> => this.#lead(signal)
    if (await withLock(name, { ifAvailable: true }, lead)) return
    // Another tab follows the thread, perhaps as another user.
    if (!this.isAuthorized && !(await this.#context.authorize())) return
    this.isAuthorized = true
    if (signal.aborted) return
    this.#post({ kind: 'hello' })
    await withLock(name, { signal }, lead)
  }

  async #lead(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.#isLeading = true
    try {
      await this.#stream.use(signal, (held) => this.#connect(held))
    } finally {
      this.#isLeading = false
    }
  }

  #post(message: TabMessage): void {
    this.#channel?.postMessage(message)
  }

  #onMessage(message: TabMessage): void {
    if (this.#isLeading) {
      if (message.kind === 'hello' && this.#isSynced) {
        this.#post({ kind: 'state', last: this.last, snapshot: this.#context.snapshot() })
      } else if (message.kind === 'refresh') this.refresh()
      else if (message.kind === 'want') this.takeStream()
      return
    }
    if (!this.isAuthorized) return
    if (message.kind === 'state') {
      this.last = message.last
      this.#isSynced = true
      this.#context.connected(true)
      this.#context.restore(message.snapshot)
    } else if (message.kind === 'event') {
      const isWhole = message.heard.event.type === 'thread.state'
      const isOther = message.heard.event.type.startsWith('threads.')
      if (!isWhole && !isOther && (!this.#isSynced || message.before !== this.last)) {
        // This tab missed an event while the browser suspended it.
        this.#isSynced = false
        this.#post({ kind: 'hello' })
        return
      }
      this.#receive(message.heard)
    }
  }

  #receive(received: Received): void {
    if (received.id !== null) this.last = received.id
    const run = runOf(received.id)
    if (received.event.type === 'thread.state') this.#isSynced = true
    else if (run !== null) this.#runs.add(run)
    this.#context.connected(true)
    this.#context.receive(received)
  }

  #reconnect = (): void => {
    this.#connection?.abort()
    this.#skipPause()
  }

  /** Read the thread's stream, and reconnect whenever it ends. */
  async #connect(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const connection = (this.#connection = new AbortController())
      let pause = 0
      try {
        pause = await this.#readStream(AbortSignal.any([signal, connection.signal]), () => {
          failures = 0
        })
      } catch (error) {
        if (signal.aborted) return
        if (connection.signal.aborted) continue
        if (error instanceof ProtocolError && this.#isFinal(error)) {
          this.#context.refused(error)
          return
        }
        failures += 1
        this.#context.connected(false)
        pause = Math.min(MAX_DELAY, 250 * 2 ** failures) * (0.5 + Math.random() / 2)
      }
      await this.#pauseFor(pause, signal)
    }
  }

  /** Read one stream to its end, and return the milliseconds to wait before the next. */
  async #readStream(signal: AbortSignal, onEvent: () => void): Promise<number> {
    const client = this.#context.client()
    if (client === null) return MAX_DELAY
    const params = { thread_id: this.threadId, after: this.last, list: true }
    const metadata = { page_id: this.#context.page }
    const stream = client.stream('threads.follow', params, { signal, metadata })
    for (;;) {
      const next = await stream.next()
      if (signal.aborted) return 0
      if (next.done) return next.value ?? 1_000
      onEvent()
      const before = this.last
      this.isAuthorized = true
      this.#post({ kind: 'event', before, heard: next.value })
      this.#receive(next.value)
      if (next.value.event.type === 'thread.deleted') return MAX_DELAY
    }
  }

  async #pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#skipPause = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', this.#skipPause, { once: true })
    })
  }

  /** Return whether the server would refuse a retry, too. */
  #isFinal({ kind, status = 0 }: ProtocolError): boolean {
    if (kind === 'format') return !this.#isSynced
    return status === 501 || (status >= 400 && status < 500 && status !== 408 && status !== 429)
  }
}
