/** Whether and how the open thread is followed. */

import type { ProtocolError } from '../protocol/client'
import { replaceItems, type ThreadState } from '../protocol/thread'
import type { Heard } from '../protocol/live'
import { Follow, type Snapshot } from './follow'
import type { Session } from './session'

/** For how many milliseconds to wait for how a thread stands. */
const PATIENCE = 5_000

interface Around {
  hear: (heard: Heard) => void
  /** Called when it is known how the thread stands. */
  shown: () => void
  /** Load the open thread with this page's own requests; returns whether it may. */
  load: () => Promise<boolean>
  /** Called when the thread turns out not to be there, or not to be followed. */
  refused: (error: ProtocolError) => void
}

export class Live {
  /** Names this page among the pages that may run a client tool. */
  readonly page = randomId()
  /** Whether the server's threads can be followed; `null` as long as nobody knows. */
  canFollow: boolean | null = null
  readonly #session: Session
  readonly #around: Around
  readonly #browser = browserId()
  #follow: Follow | null = null
  #onState: () => void = () => {}

  constructor(session: Session, around: Around) {
    this.#session = session
    this.#around = around
  }

  /** The thread that is followed, whether or not it can be at the moment. */
  get threadId(): string | null {
    return this.#follow?.threadId ?? null
  }

  /** Whether the open thread's events come by themselves. */
  get isOn(): boolean {
    return this.#follow?.isOn ?? false
  }

  /** Follow a thread from an event on, or from how it stands. */
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
        hear: (heard) => {
          this.#around.hear(heard)
          if (heard.event.type === 'thread.state') this.#onState()
        },
        snapshot: () => {
          const { thread, older } = this.#session.current
          return { thread, older }
        },
        restore: (snapshot) => this.#restore(snapshot),
        authorize: this.#around.load,
        isBusy: () => this.#session.current.isResponding,
        connected: (isConnected) => {
          if (isConnected === this.#session.current.isConnected) return
          this.#session.state.set({ isConnected })
        },
        refused: (error) => {
          this.leave()
          this.#around.refused(error)
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

  /** Note up to where the thread was heard another way. */
  note(id: string | null): void {
    if (this.#follow !== null && id !== null) this.#follow.last = id
  }

  hasHeard(run: string): boolean {
    return this.#follow?.hasHeard(run) ?? false
  }

  /** Have the thread's events come here, rather than those of another thread to another tab. */
  want(): void {
    this.#follow?.want()
  }

  /** Read anew how the thread stands, and wait until it is shown. */
  async refresh(): Promise<void> {
    if (this.#follow === null) return
    const shown = new Promise<void>((resolve) => {
      this.#onState = resolve
      setTimeout(resolve, PATIENCE)
    })
    this.#follow.refresh()
    await shown
  }

  rest(): void {
    this.#follow?.rest()
  }

  /** Return what a request says of itself that goes on without this page, and may be repeated. */
  metadata(requestId: string): Record<string, unknown> {
    if (this.canFollow === false) return {}
    return { detached: true, request_id: requestId, page_id: this.#browser }
  }

  /** Show the thread as another tab has it; older items stay. */
  #restore({ thread: given, older }: Snapshot): void {
    const { thread: shown, older: before } = this.#session.current
    const thread = given as ThreadState
    if (thread.thread === null) return
    const merged = replaceItems(shown, thread.thread, thread.items)
    const hasOlder = merged.items.length > thread.items.length
    this.#session.state.set({ older: hasOlder ? before : older })
    const event = { ...thread, items: merged.items, notices: shown.notices, error: null }
    this.#session.state.set({ thread: event, isLoading: false, loadError: null })
    const { turn } = thread
    this.#around.shown()
    if (turn !== null) this.#around.hear({ id: null, event: { type: 'turn.updated', turn } })
  }
}

/** Return a name that is hard to guess; `crypto.randomUUID` is for secure pages only. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Return the name that all tabs of this browser share. */
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
