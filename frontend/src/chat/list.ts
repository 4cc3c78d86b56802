/** What the list of chats shows of each: whether it answers, and whether that was seen. */

import type { AnyEvent, ListedThread, Turn } from '../protocol/live'
import type { Session } from './session'
import { Store } from './store'

/** Of how many chats it is known up to where they were seen. */
const KEPT = 300

interface Seen {
  /** Answers from before are not new. */
  since: string
  /** When the last answer that was seen had ended, by thread. */
  threads: Record<string, string>
}

export class ChatList {
  readonly state = new Store<{
    /** Threads that have changed since they were listed; `null` for those that are gone. */
    changed: ReadonlyMap<string, ListedThread | null>
    seen: Seen
  }>({ changed: new Map(), seen: { since: new Date().toISOString(), threads: {} } })
  readonly #session: Session
  #key = ''

  constructor(session: Session) {
    this.#session = session
    document.addEventListener('visibilitychange', () => this.see())
    window.addEventListener('storage', ({ key }) => key === this.#key && this.#read())
  }

  /** Keep what was seen apart from that of other servers. */
  use(url: string): void {
    this.#key = `chatkit-seen ${url}`
    this.state.set({ changed: new Map() })
    this.#read()
    this.#write()
  }

  /** Take what the server tells of other threads than the open one. */
  tell(event: AnyEvent): void {
    const changed = new Map(this.state.get().changed)
    if (event.type === 'threads.changed') changed.set(event.thread.id, event.thread)
    else if (event.type === 'threads.deleted') changed.set(event.thread_id, null)
    else return
    this.state.set({ changed })
  }

  /** Note that the open thread is seen as it is. */
  see(): void {
    const { threadId, thread } = this.#session.current
    const { turn } = thread
    if (threadId === null || turn === null || document.hidden) return
    if (thread.thread !== null) {
      this.tell({ type: 'threads.changed', thread: { ...thread.thread, turn } })
    }
    if (turn.ended_at === null) return
    const { seen } = this.state.get()
    if ((seen.threads[threadId] ?? '') >= turn.ended_at) return
    const { [threadId]: _, ...others } = seen.threads
    const threads = Object.fromEntries(
      [...Object.entries(others), [threadId, turn.ended_at] as const].slice(-KEPT),
    )
    this.state.set({ seen: { ...seen, threads } })
    this.#write()
  }

  #read(): void {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(this.#key) ?? 'null')
      if (isSeen(kept)) this.state.set({ seen: kept })
    } catch {
      // It is known as long as the page lasts.
    }
  }

  #write(): void {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.state.get().seen))
    } catch {
      // It is known as long as the page lasts.
    }
  }
}

/** Return how the answer of a listed chat stands, for a person who has seen what is in `seen`. */
export function markOf(turn: Turn | null | undefined, threadId: string, seen: Seen): Mark | null {
  if (!turn) return null
  if (turn.state === 'running') return 'answering'
  const isNew = turn.ended_at !== null && turn.ended_at > (seen.threads[threadId] ?? seen.since)
  return isNew ? 'unseen' : null
}

export type Mark = 'answering' | 'unseen'

function isSeen(kept: unknown): kept is Seen {
  const { since, threads } = (kept ?? {}) as Partial<Record<keyof Seen, unknown>>
  return typeof since === 'string' && typeof threads === 'object' && threads !== null
}
