import { useCallback, useEffect, useState } from 'react'

import type { ListedThread } from '../protocol/live'
import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'
import { withChanges, withThread } from './historyList'

/** The number of threads to load at a time. */
export const PAGE = 30

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

  // The open thread may be new, and gets its title later.
  const current = useStore(chat.state, (state) => state.thread.thread)
  useEffect(() => {
    if (current !== null && status === 'ready') setThreads((known) => withThread(known, current))
  }, [current, status])

  // Between the streams of two open threads, events about other threads are lost.
  const followed = useStore(chat.state, ({ thread }) => (thread.turn && thread.thread?.id) ?? null)
  useEffect(() => {
    if (followed === null) return
    chat.client?.request('threads.list', { limit: PAGE, order: 'desc' }).then(
      ({ data }) => chat.list.update(data ?? []),
      () => {}, // The list stays as it is.
    )
  }, [chat, followed])

  // Other threads change as they are answered, in other tabs and on other devices.
  const changed = useStore(chat.list.state, (state) => state.changed)
  useEffect(() => {
    if (status === 'ready') setThreads((known) => withChanges(known, changed))
  }, [changed, status])

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
