/** Follows the open thread, where the server allows it. */

import type { ProtocolError } from '../protocol/client'
import { replaceItems, type ThreadState } from '../protocol/thread'
import type { Received, Turn } from '../protocol/live'
import { Follow, type Snapshot } from './follow'
import type { Session } from './session'
import { requestStop } from './stop'

/** Milliseconds to wait for a thread's state. */
const STATE_TIMEOUT = 5_000

interface Callbacks {
  receive: (received: Received) => void
  /** Called when the thread's state is known. */
  shown: () => void
  /** Loads the open thread with this page's own requests; returns whether the server allows it. */
  load: () => Promise<boolean>
  /** Called when the thread does not exist, or cannot be followed. */
  refused: (error: ProtocolError) => void
}

export class Live {
  /** Identifies this page among those that can run a client tool. */
  readonly page = randomId()
  /** Whether the server's threads can be followed; `null` while this is unknown. */
  canFollow: boolean | null = null
  readonly #session: Session
  readonly #callbacks: Callbacks
  readonly #browser = browserId()
  #follow: Follow | null = null
  #onState: () => void = () => {}

  constructor(session: Session, callbacks: Callbacks) {
    this.#session = session
    this.#callbacks = callbacks
  }

  /** The ID of the thread to follow, even while it cannot be followed. */
  get threadId(): string | null {
    return this.#follow?.threadId ?? null
  }

  /** Whether the open thread's events arrive through its stream. */
  get isOn(): boolean {
    return this.#follow?.isOn ?? false
  }

  /** Follow a thread after an event, or from its current state. */
  start(threadId: string, after: string | null, isAuthorized: boolean): void {
    if (this.threadId === threadId) return
    this.leave()
    const { api } = this.#session
    if (api === null) return
    this.#follow = new Follow(
      threadId,
      {
        client: () => this.#session.client,
        page: this.#browser,
        url: new URL(api.url, parent.document.baseURI).href,
        receive: (received) => {
          this.#callbacks.receive(received)
          if (received.event.type === 'thread.state') this.#onState()
        },
        snapshot: () => {
          const { thread, older } = this.#session.current
          return { thread, older }
        },
        restore: (snapshot) => this.#restore(snapshot),
        authorize: this.#callbacks.load,
        isBusy: () => this.#session.current.isResponding,
        connected: (isConnected) => {
          if (isConnected === this.#session.current.isConnected) return
          this.#session.state.set({ isConnected })
        },
        refused: (error) => {
          this.leave()
          this.#onState()
          this.#callbacks.refused(error)
        },
      },
      after,
      isAuthorized,
    )
  }

  leave(): void {
    this.#follow?.close()
    this.#follow = null
    if (!this.#session.current.isConnected) this.#session.state.set({ isConnected: true })
  }

  /** Record the ID of an event that arrived another way. */
  note(id: string | null): void {
    if (this.#follow !== null && id !== null) this.#follow.last = id
  }

  hasReceived(run: string): boolean {
    return this.#follow?.hasReceived(run) ?? false
  }

  /** Take a stream, even from another tab. */
  takeStream(): void {
    this.#follow?.takeStream()
  }

  /** Reload the thread's state, and wait until it is shown. */
  async refresh(): Promise<void> {
    if (this.#follow === null) return
    const shown = new Promise<void>((resolve) => {
      this.#onState = resolve
      setTimeout(resolve, STATE_TIMEOUT)
    })
    this.#follow.refresh()
    await shown
  }

  /** Stop a turn, even one that another page requested. */
  stopTurn(threadId: string, turn: Turn | null): void {
    const { client } = this.#session
    if (client === null) return
    const isShown = (): boolean => this.#session.current.threadId === threadId
    requestStop(client, threadId, turn).then(
      (status) => {
        if (status !== 'stopped' && isShown()) this.#session.state.set({ isStopping: false })
      },
      (error: unknown) => {
        this.#session.report(error)
        const { isResponding, thread } = this.#session.current
        if (!isShown() || !isResponding) return
        const shown = { code: 'stop', message: this.#session.explain(error), allowRetry: false }
        this.#session.state.set({ isStopping: false, thread: { ...thread, error: shown } })
      },
    )
  }

  stopIfIdle(): void {
    this.#follow?.stopIfIdle()
  }

  /** Return the metadata of a request that continues without this page and may be repeated. */
  metadata(requestId: string): Record<string, unknown> {
    if (this.canFollow === false) return {}
    return { detached: true, request_id: requestId, page_id: this.#browser }
  }

  /** Show the state that another tab sent; older items stay. */
  #restore({ thread: given, older }: Snapshot): void {
    const { thread: shown, older: before } = this.#session.current
    const thread = given as ThreadState
    if (thread.thread === null) return
    const merged = replaceItems(shown, thread.thread, thread.items)
    const hasOlder = merged.items.length > thread.items.length
    this.#session.state.set({ older: hasOlder ? before : older })
    const state = { ...thread, items: merged.items, notices: shown.notices, error: null }
    this.#session.state.set({ thread: state, isLoading: false, loadError: null })
    const { turn } = thread
    if (turn !== null) this.#callbacks.receive({ id: null, event: { type: 'turn.updated', turn } })
    this.#callbacks.shown()
  }
}

/** Return a random ID; `crypto.randomUUID` exists on secure pages only. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Return the ID that all tabs of this browser share. */
function browserId(): string {
  const key = 'chatkit-browser'
  try {
    const id = localStorage.getItem(key) ?? randomId()
    localStorage.setItem(key, id)
    return /^[0-9a-f]{32}$/.test(id) ? id : randomId()
  } catch {
    return randomId()
  }
}
