/** Loads, polls, renames, deletes and exports threads. */

import { ProtocolError } from '../protocol/client'
import { mergeOlder, emptyThread, reduce, replaceItems } from '../protocol/thread'
import type { Thread, ThreadItem, ThreadMetadata } from '../protocol/types'
import { patiently } from './patiently'
import { save } from './save'
import type { Live } from './live'
import type { Responses } from './responses'
import { isAborted, type Session } from './session'
import { until } from './store'

const PAGE = 50

/** The error code of a message that seems to get no response. */
export const UNANSWERED = 'unanswered'

/** The error code of a response that was lost on its way. */
export const LOST = 'connection'

/** Return whether a loaded thread has a response, and everything of it that was seen. */
export function isAnswered(loaded: readonly ThreadItem[], seen: readonly ThreadItem[]): boolean {
  const ids = new Set(loaded.map(({ id }) => id))
  return loaded.at(-1)?.type !== 'user_message' && seen.every(({ id }) => ids.has(id))
}

/** Milliseconds before each poll for a response that another page requested. */
const POLL_DELAYS = [1_000, 2_000, 4_000, 8_000]

interface Callbacks {
  /** Called when the open thread's state is known. */
  shown: () => void
  /** Called with the ID of a thread that does not exist, or belongs to someone else. */
  missing: (threadId: string) => void
}

export class Threads {
  readonly #session: Session
  readonly #responses: Responses
  readonly #live: Live
  readonly #callbacks: Callbacks
  #loading: AbortController | null = null
  /** The error if the last thread to follow was not found. */
  #missing: ProtocolError | null = null
  #polling: ReturnType<typeof setTimeout> | undefined

  constructor(session: Session, responses: Responses, live: Live, callbacks: Callbacks) {
    this.#session = session
    this.#responses = responses
    this.#live = live
    this.#callbacks = callbacks
    window.addEventListener('online', () => this.#lookAgain())
    document.addEventListener('visibilitychange', () => !document.hidden && this.#lookAgain())
  }

  /** Open a thread, or a new one, and return the error if it could not be loaded. */
  async open(threadId: string | null): Promise<Error | null> {
    const { threadId: open, loadError, thread } = this.#session.current
    const hasFailed = loadError !== null || (threadId === null && thread.error !== null)
    return threadId === open && !hasFailed ? null : this.reopen(threadId)
  }

  /** Open a thread, or a new one, even if it is open already. */
  async reopen(threadId: string | null): Promise<Error | null> {
    this.#responses.leave()
    this.#live.leave()
    this.#loading?.abort()
    this.#missing = null
    this.#session.state.set({
      threadId,
      thread: emptyThread,
      isModelChosen: false,
      older: null,
      isLoadingOlder: false,
      loadError: null,
      sending: null,
      isResponding: false,
      isStopping: false,
      draft: this.#session.drafts.of(threadId),
    })
    this.#session.host.emit('chatkit.thread.change', { threadId })
    if (threadId === null) return null
    return this.#live.canFollow === true && !document.hidden
      ? this.#follow(threadId)
      : this.load(threadId)
  }

  /** Show a thread by following it: the first event is its state. */
  async #follow(threadId: string): Promise<Error | null> {
    this.#session.state.set({ isLoading: true })
    this.#session.host.emit('chatkit.thread.load.start', { threadId })
    this.#live.start(threadId, null, false)
    const isWaiting = (): boolean =>
      this.#session.current.threadId === threadId && this.#session.current.isLoading
    await until(this.#session.state, () => !isWaiting() || !this.#session.current.isConnected)
    let failure: ProtocolError | null = this.#missing
    if (isWaiting()) {
      failure = new ProtocolError('unreachable', 'The server cannot be reached.')
      this.#session.state.set({ isLoading: false, loadError: this.#session.explain(failure) })
      this.#session.report(failure)
    }
    this.#session.host.emit('chatkit.thread.load.end', { threadId })
    return failure
  }

  /** Handle a refused stream: the thread does not exist, the login expired, or the server changed. */
  async refused(error: ProtocolError): Promise<void> {
    const { threadId } = this.#session.current
    if (threadId === null) return
    if (error.status !== 404) {
      if (error.status !== 401 && error.status !== 403) this.#live.canFollow = false
      await this.load(threadId)
      return
    }
    this.#session.report(error)
    if (!this.#session.current.isLoading || !isMissing(error)) {
      this.#session.state.set({ isLoading: false, loadError: this.#session.explain(error) })
      return
    }
    this.#leaveMissing()
    this.#missing = error
  }

  /** Show a new chat in place of a thread that was not found, and say so. */
  #leaveMissing(): void {
    const { threadId } = this.#session.current
    if (threadId !== null) this.#callbacks.missing(threadId)
    void this.reopen(null)
    const message = this.#session.texts.say('threadMissing')
    const shown = { code: 'missing', message, allowRetry: false }
    this.#session.state.set({ isLoading: false, thread: { ...emptyThread, error: shown } })
  }

  /** Load the open thread with this page's own requests, and return whether that succeeded. */
  async mayLoad(): Promise<boolean> {
    const { threadId, isLoading } = this.#session.current
    if (threadId === null) return false
    const failure = await this.load(threadId, true)
    if (isMissing(failure) && isLoading) this.#leaveMissing()
    else if (failure !== null && isLoading) {
      this.#session.state.set({ isLoading: false, loadError: this.#session.explain(failure) })
    }
    return failure === null
  }

  /** Reload a thread from the server, and return the error if it could not be loaded. */
  async reload(threadId: string): Promise<Error | null> {
    if (!this.#live.isOn || this.#live.threadId !== threadId) return this.load(threadId, true)
    await this.#live.refresh()
    return null
  }

  /**
   * Return whether to ask for another response in place of one that seems to be missing: not if it
   * is on the server after all, or while the server cannot be asked.
   */
  async mayRepeat(): Promise<boolean> {
    const { threadId, thread } = this.#session.current
    const { error: before, items } = thread
    const isUnsure = before?.code === UNANSWERED || before?.code === LOST
    if (threadId === null || !isUnsure || this.#live.canFollow === true) return true
    const failure = await this.load(threadId, true)
    const { thread: loaded } = this.#session.current
    if (failure === null && !isAnswered(loaded.items, before.seen ?? items)) return true
    const error = failure && { ...before, message: this.#session.explain(failure) }
    this.#session.state.set({ thread: { ...loaded, error } })
    return false
  }

  fetchUpdates = async (): Promise<Error | null> => {
    const { threadId, loadError } = this.#session.current
    if (threadId === null) return null
    if (this.#live.isOn) {
      await this.#live.refresh()
      return null
    }
    // The response in progress is newer than a page of items.
    if (this.#session.current.isResponding) return null
    return this.load(threadId, loadError === null)
  }

  async load(threadId: string, isQuiet = false): Promise<Error | null> {
    const client = this.#session.client
    if (client === null) return null
    const loading = (this.#loading = new AbortController())
    const init = { signal: loading.signal }
    // Other servers may not know this metadata.
    const ends = this.#live.canFollow === true ? { metadata: { turn_ends: true } } : {}
    const responses = this.#responses.count
    if (!isQuiet) this.#session.state.set({ isLoading: true, loadError: null })
    if (!isQuiet) this.#session.host.emit('chatkit.thread.load.start', { threadId })
    try {
      // The thread comes with its oldest items, but users want to see the newest.
      const [thread, page] = await Promise.all([
        client.request('threads.get_by_id', { thread_id: threadId }, init),
        client.request(
          'items.list',
          { thread_id: threadId, limit: PAGE, order: 'desc' },
          { ...init, ...ends },
        ),
      ])
      const { items: _, can_follow: canFollow, ...metadata } = thread
      this.#live.canFollow = canFollow === true
      const items = [...(page.data ?? [])].reverse()
      // The items of a response that started in the meantime are newer than the loaded ones.
      const isOlder = this.#responses.count !== responses
      const shown = this.#session.current.thread
      this.#session.state.set({
        thread: isOlder
          ? mergeOlder({ ...shown, thread: shown.thread ?? (metadata as ThreadMetadata) }, items)
          : replaceItems(shown, metadata as ThreadMetadata, items),
        older: page.has_more ? (page.after ?? null) : null,
        isLoading: false,
        loadError: null,
      })
      if (canFollow === true) this.#live.start(threadId, null, true)
      else if (!isQuiet) {
        this.#callbacks.shown()
        this.poll(threadId, 0)
      }
      return null
    } catch (error) {
      if (isAborted(error)) return null
      this.#session.report(error)
      // The first thread may fail to load before the texts are there.
      await this.#session.texts.loaded()
      if (loading.signal.aborted) return null
      if (!isQuiet && isMissing(error)) {
        this.#leaveMissing()
        return error
      }
      this.#session.state.set({
        isLoading: false,
        ...(!isQuiet && { loadError: this.#session.explain(error) }),
      })
      return error as Error
    } finally {
      if (!isQuiet) this.#session.host.emit('chatkit.thread.load.end', { threadId })
    }
  }

  /** Fetch updates, because another tab or user may have continued the thread. */
  #lookAgain(): void {
    const { threadId, isLoading } = this.#session.current
    if (threadId === null || isLoading || this.#live.threadId === threadId) return
    void this.fetchUpdates().then(() => this.poll(threadId, 0))
  }

  /** Poll for a response that another page requested, or this one before a reload. */
  poll(threadId: string, round: number): void {
    clearTimeout(this.#polling)
    const { thread, isResponding } = this.#session.current
    if (this.#live.threadId === threadId) return
    const isAwaited = thread.items.at(-1)?.type === 'user_message'
    if (this.#session.current.threadId !== threadId || isResponding) return
    if (!isAwaited && thread.error?.code === UNANSWERED) {
      this.#session.state.set({ thread: { ...thread, error: null } })
    }
    if (!isAwaited || round === 0) this.#waitFor(isAwaited)
    if (round === POLL_DELAYS.length && isAwaited) {
      this.#waitFor(false)
      const error = {
        code: UNANSWERED,
        message: this.#session.texts.say('noAnswer'),
        allowRetry: true,
      }
      this.#session.state.set({ thread: { ...this.#session.current.thread, error } })
    }
    const delay = POLL_DELAYS[round]
    if (!isAwaited || delay === undefined) return
    this.#polling = setTimeout(() => {
      const isStill =
        this.#session.current.threadId === threadId && !this.#session.current.isResponding
      if (isStill) void this.load(threadId, true).then(() => this.poll(threadId, round + 1))
    }, delay)
  }

  stopPolling(): void {
    clearTimeout(this.#polling)
  }

  #waitFor(isAwaited: boolean): void {
    const progress = isAwaited ? { text: this.#session.texts.say('thinking') } : null
    this.#session.state.set({ thread: { ...this.#session.current.thread, progress } })
  }

  loadOlder = async (): Promise<void> => {
    const { threadId, older, isLoadingOlder } = this.#session.current
    if (this.#session.client === null || threadId === null || older === null || isLoadingOlder)
      return
    this.#session.state.set({ isLoadingOlder: true })
    try {
      const page = await this.#session.client.request(
        'items.list',
        { thread_id: threadId, limit: PAGE, order: 'desc', after: older },
        this.#live.canFollow === true ? { metadata: { turn_ends: true } } : {},
      )
      if (this.#session.current.threadId !== threadId) return
      this.#session.state.set({
        thread: mergeOlder(this.#session.current.thread, [...(page.data ?? [])].reverse()),
        older: page.has_more ? (page.after ?? null) : null,
      })
    } catch (error) {
      this.#session.report(error)
    } finally {
      if (this.#session.current.threadId === threadId)
        this.#session.state.set({ isLoadingOlder: false })
    }
  }

  rename = async (threadId: string, title: string): Promise<Thread | undefined> => {
    const renamed = await this.#session.client?.request('threads.update', {
      thread_id: threadId,
      title,
    })
    const { thread } = this.#session.current
    if (renamed !== undefined && this.#session.current.threadId === threadId) {
      this.#session.state.set({
        thread: reduce(thread, { type: 'thread.updated', thread: renamed }),
      })
    }
    return renamed
  }

  delete = async (threadId: string): Promise<void> => {
    await this.#session.client?.request('threads.delete', { thread_id: threadId })
    if (this.#session.current.threadId !== threadId) {
      this.#session.drafts.delete(threadId)
      return
    }
    this.#session.drafts.release(threadId)
    await this.open(null)
  }

  /** Save the whole thread as a Markdown file. */
  export = async (): Promise<void> => {
    const { threadId } = this.#session.current
    while (this.#session.current.older !== null && this.#session.current.threadId === threadId) {
      const { older } = this.#session.current
      await this.loadOlder()
      // If older items cannot be loaded, show a warning rather than save an incomplete file.
      if (this.#session.current.older === older) {
        const notice = {
          level: 'warning',
          message: this.#session.texts.say('threadFailed'),
        } as const
        this.#session.state.set({
          thread: reduce(this.#session.current.thread, { type: 'notice', ...notice }),
        })
        return
      }
    }
    if (threadId === null || this.#session.current.threadId !== threadId) return
    const { thread, items } = this.#session.current.thread
    const title = thread?.title ?? this.#session.texts.say('chat')
    const { threadAsMarkdown } = await patiently(() => import('./exportThread'))
    const text = threadAsMarkdown(title, items, this.#session.texts.say)
    save(new Blob([text], { type: 'text/markdown' }), `${fileName(title)}.md`)
  }
}

/** Return whether a server that was reached has no such thread for this user. */
function isMissing(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.status === 404 && error.reason !== undefined
}

function fileName(title: string): string {
  return (
    title
      .replaceAll(/[\\/:*?"<>|\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 80) || 'chat'
  )
}
