import { useCallback, useEffect, useMemo } from 'react'

import { PAGE } from '../chat/list'
import type { ListedThread } from '../protocol/live'
import type { FoundThread } from '../protocol/search'
import { useChat, useLocale, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { folded, groupsOf } from './historyList'
import { useSearch, type SearchState } from './useSearch'
import { useThreadList, type EditThread, type ThreadList } from './useThreadList'

export type FoundRow = Pick<FoundThread, 'snippet'> & { thread: ListedThread }

export interface Threads extends Pick<ThreadList, 'status' | 'more' | 'retry' | 'edit'> {
  /** The threads whose titles match, grouped by date. */
  groups: [day: string, threads: ListedThread[]][]
  /** The server's results in order; `null` without a query, or if the server cannot search. */
  rows: FoundRow[] | null
  /** Whether nothing matches, as far as that is known. */
  isEmpty: boolean
  /** Loads more search results; `null` if there are none. */
  moreFound: SearchState['more']
}

/** Return the threads to show: all of them, or those that match a query. */
export function useThreads(query: string): Threads {
  const { threads, canSearch, status, more, retry, edit: editListed } = useThreadList()
  const search = useSearch(query, canSearch)
  const { found, isBusy, edit: editFound } = search
  const changed = useStore(useChat().list.state, (state) => state.changed)
  const locale = useLocale()
  const untitled = useText()('untitled')
  const wanted = folded(query)
  const groups = useMemo(() => {
    const matching = threads.filter(({ title }) => folded(title || untitled).includes(wanted))
    return groupsOf(matching, locale)
  }, [threads, wanted, untitled, locale])
  // From the first letter on, so that the rows stay the same when the server's results arrive.
  const rows = useMemo(() => {
    if (!canSearch || wanted === '') return null
    const known = new Map(threads.map((thread) => [thread.id, thread]))
    const titles = groups.flatMap(([, group]) => group.map((thread) => ({ thread, snippet: [] })))
    // The server may have answered before a chat was renamed or deleted.
    return (found ?? titles)
      .filter(({ thread }) => changed.get(thread.id) !== null)
      .map(({ thread, snippet }) => ({ thread: known.get(thread.id) ?? thread, snippet }))
  }, [canSearch, wanted, threads, changed, groups, found])
  const count = rows?.length ?? groups.reduce((sum, [, group]) => sum + group.length, 0)

  // If the server cannot search, the chat may be in a page that is not loaded yet.
  const isLoadingMatches = wanted !== '' && !canSearch && count < PAGE
  useEffect(() => {
    if (isLoadingMatches) more?.()
  }, [isLoadingMatches, more])

  const edit = useCallback<EditThread>(
    (...change) => {
      editListed(...change)
      editFound(...change)
    },
    [editListed, editFound],
  )
  return {
    groups,
    rows,
    isEmpty: count === 0 && !isBusy,
    status: search.retry === null ? status : 'failed',
    retry: search.retry ?? retry,
    more: rows === null && !isLoadingMatches ? more : null,
    moreFound: search.more,
    edit,
  }
}
