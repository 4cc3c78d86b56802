/** The changes to listed chats, and the responses that the user has seen. */

import type { AnyEvent, ListedThread, Turn } from '../protocol/live'
import type { ThreadState } from '../protocol/thread'
import type { Session } from './session'
import { Store } from './store'
import { storedJson, storeJson } from './storedJson'

/** The number of threads to load at a time. */
export const PAGE = 30

/** The number of chats whose last seen response is remembered. */
const MAX_SEEN = 300

interface Seen {
  /** Responses from before this time are not new. */
  since: string
  /** The time when the last response seen ended, by thread ID. */
  threads: Record<string, string>
}

export class ChatList {
  readonly state = new Store<{
    /** The URL of the server that has the threads. */
    server: string
    /** Threads that changed since they were listed; `null` for deleted ones. */
    changed: ReadonlyMap<string, ListedThread | null>
    seen: Seen
    /** The words that the user searches for. */
    query: string
  }>({
    server: '',
    changed: new Map(),
    seen: { since: new Date().toISOString(), threads: {} },
    query: '',
  })
  readonly #session: Session
  /** The titles of the threads that were listed, by ID. */
  readonly #titles = new Map<string, string>()
  #key = ''
  /** The open thread and its turn, as they were last applied. */
  #open: Pick<ThreadState, 'thread' | 'turn'> = { thread: null, turn: null }

  constructor(session: Session) {
    this.#session = session
    session.state.subscribe(() => this.#applyOpen())
    document.addEventListener('visibilitychange', () => this.markSeen())
    window.addEventListener('storage', ({ key }) => key === this.#key && this.#read())
  }

  /** Use the record of seen chats that belongs to a server. */
  use(url: string): void {
    this.#key = `chatkit-seen ${url}`
    this.state.set({ server: url, changed: new Map(), query: '' })
    this.#read()
    this.#write()
  }

  /** Remember the titles of threads that were listed or found. */
  note(threads: readonly ListedThread[]): void {
    for (const { id, title } of threads) this.#titles.set(id, title ?? '')
  }

  /** Return the title of a thread, as far as the list knows it. */
  titleOf(threadId: string | null): string {
    const id = threadId ?? ''
    return this.state.get().changed.get(id)?.title ?? this.#titles.get(id) ?? ''
  }

  /** Apply an event about a listed thread. */
  apply(event: AnyEvent): void {
    const changed = new Map(this.state.get().changed)
    if (event.type === 'threads.deleted') changed.set(event.thread_id, null)
    else if (event.type === 'threads.changed') {
      changed.set(event.thread.id, { ...changed.get(event.thread.id), ...event.thread })
    } else return
    this.state.set({ changed })
  }

  /** Load the newest threads again. If that fails, nothing changes. */
  async refresh(): Promise<void> {
    const before = this.state.get().changed
    const page = await this.#session.client
      ?.request('threads.list', { limit: PAGE, order: 'desc' })
      .catch(() => undefined)
    const changed = new Map(this.state.get().changed)
    for (const thread of page?.data ?? []) {
      // An event that arrived meanwhile may be newer.
      if (changed.get(thread.id) === before.get(thread.id)) changed.set(thread.id, thread)
    }
    this.state.set({ changed })
  }

  /** Mark the open thread as seen, unless the page is hidden. */
  markSeen(): void {
    const { threadId, thread } = this.#session.current
    const { turn } = thread
    if (threadId === null || turn === null || document.hidden) return
    if (turn.ended_at === null) return
    const { seen } = this.state.get()
    if ((seen.threads[threadId] ?? '') >= turn.ended_at) return
    const { [threadId]: _, ...others } = seen.threads
    const threads = Object.fromEntries(
      [...Object.entries(others), [threadId, turn.ended_at] as const].slice(-MAX_SEEN),
    )
    this.state.set({ seen: { ...seen, threads } })
    this.#write()
  }

  #applyOpen(): void {
    const { thread, turn } = this.#session.current.thread
    if (thread === this.#open.thread && turn === this.#open.turn) return
    this.#open = { thread, turn }
    if (thread === null) return
    this.apply({ type: 'threads.changed', thread: { ...thread, ...(turn !== null && { turn }) } })
  }

  #read(): void {
    const stored = storedJson('localStorage', this.#key)
    if (isSeen(stored)) this.state.set({ seen: stored })
  }

  #write(): void {
    storeJson('localStorage', this.#key, this.state.get().seen)
  }
}

/** Return the mark of a listed chat, given what the user has seen; `null` if it has none. */
export function markOf(turn: Turn | null | undefined, threadId: string, seen: Seen): Mark | null {
  if (!turn) return null
  if (turn.state === 'running') return 'answering'
  const isNew = turn.ended_at !== null && turn.ended_at > (seen.threads[threadId] ?? seen.since)
  return isNew ? 'unseen' : null
}

export type Mark = 'answering' | 'unseen'

function isSeen(value: unknown): value is Seen {
  const { since, threads } = (value ?? {}) as Partial<Record<keyof Seen, unknown>>
  return typeof since === 'string' && typeof threads === 'object' && threads !== null
}
