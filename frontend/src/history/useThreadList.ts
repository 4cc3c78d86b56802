import { useCallback, useEffect, useState } from 'react'

import { PAGE } from '../chat/list'
import type { ListedThread } from '../protocol/live'
import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'
import { withChanges } from './historyList'

/** Milliseconds after which the list is loaded again while no events arrive. */
const PAUSE = 3_000

/** The same while no answer is in progress, but another device may start one. */
const LONG_PAUSE = 30_000

/** Changes a thread wherever it is listed; `null` removes it from the list. */
export type EditThread = (id: string, edit: (thread: ListedThread) => ListedThread | null) => void

export interface ThreadList {
  threads: readonly ListedThread[]
  status: 'loading' | 'failed' | 'ready'
  /** Whether the server can search messages. */
  canSearch: boolean
  /** Loads the next page; `null` while a page is loading, and if there are no more. */
  more: (() => void) | null
  /** Loads the page that failed to load. */
  retry: () => void
  edit: EditThread
}

/** Load the user's threads page by page, and keep them up to date. */
export function useThreadList(): ThreadList {
  const chat = useChat()
  const [threads, setThreads] = useState<ListedThread[]>([])
  const [after, setAfter] = useState<string | null>(null)
  const [status, setStatus] = useState<ThreadList['status']>('loading')
  const [canSearch, setCanSearch] = useState(false)

  const load = useCallback(
    async (from: string | null): Promise<void> => {
      setStatus('loading')
      try {
        const page = await chat.client?.request('threads.list', {
          limit: PAGE,
          order: 'desc',
          ...(from !== null && { after: from }),
        })
        chat.list.note(page?.data ?? [])
        setThreads((known) => {
          const older = from === null ? [] : known
          const ids = new Set(older.map((thread) => thread.id))
          return [...older, ...(page?.data ?? []).filter((thread) => !ids.has(thread.id))]
        })
        setCanSearch(page?.can_search === true)
        setAfter(page?.has_more ? (page.after ?? null) : null)
        setStatus('ready')
      } catch {
        setStatus('failed')
      }
    },
    [chat],
  )
  useEffect(() => void load(null), [load])
  const loadNext = useCallback(() => void load(after), [load, after])

  // Threads change as they are answered, here, in other tabs and on other devices.
  const changed = useStore(chat.list.state, (state) => state.changed)
  useEffect(() => {
    if (status === 'ready') setThreads((known) => withChanges(known, changed))
  }, [changed, status])

  // Events about other threads arrive with those of the open thread, and are lost in between.
  const followed = useStore(chat.state, ({ thread }) => (thread.turn && thread.thread?.id) ?? null)
  const isWaiting = followed === null && threads.some(({ turn }) => turn?.state === 'running')
  // Other ChatKit servers, which cannot search, also have no turns.
  const idlePause = canSearch ? LONG_PAUSE : null
  const pause = isWaiting ? PAUSE : idlePause
  useEffect(() => {
    if (followed !== null || isWaiting) void chat.list.refresh()
    if (followed !== null) return undefined
    const refresh = (): void => {
      if (!document.hidden) void chat.list.refresh()
    }
    document.addEventListener('visibilitychange', refresh)
    const timer = pause === null ? undefined : setInterval(refresh, pause)
    return () => {
      document.removeEventListener('visibilitychange', refresh)
      clearInterval(timer)
    }
  }, [chat, followed, isWaiting, pause])

  const edit = useCallback<EditThread>(
    (id, edit) =>
      setThreads((known) =>
        known.flatMap((thread) => (thread.id === id ? (edit(thread) ?? []) : thread)),
      ),
    [],
  )
  return {
    threads,
    status,
    canSearch,
    more: status === 'ready' && after !== null ? loadNext : null,
    retry: loadNext,
    edit,
  }
}
