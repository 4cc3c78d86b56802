import { useCallback, useEffect, useRef, useState } from 'react'

import type { FoundThread } from '../protocol/search'
import { useChat } from '../ui/context'
import type { EditThread } from './useThreadList'

/** Milliseconds to wait for another letter before asking the server. */
const PAUSE = 150

const PAGE = 20

export interface SearchState {
  /** The results; `null` without a query, and if the server cannot search. */
  found: readonly FoundThread[] | null
  isBusy: boolean
  /** Sends the request that failed again; `null` if none did. */
  retry: (() => void) | null
  /** Loads more results; `null` if there are none. */
  more: (() => void) | null
  edit: EditThread
}

/** Ask the server, if it can search, for threads whose messages contain the words of a query. */
export function useSearch(query: string, canSearch: boolean): SearchState {
  const chat = useChat()
  const [found, setFound] = useState<readonly FoundThread[] | null>(null)
  const [after, setAfter] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const [failed, setFailed] = useState<{ from: string | null } | null>(null)
  const asked = useRef(0)
  const isWanted = canSearch && query !== ''

  const find = useCallback(
    async (from: string | null): Promise<void> => {
      const number = (asked.current += 1)
      setBusy(true)
      setFailed(null)
      try {
        const page = await chat.client?.request('threads.search', {
          query,
          limit: PAGE,
          after: from,
        })
        if (number !== asked.current || page === undefined) return
        chat.list.note(page.data.map(({ thread }) => thread))
        setFound((known) => [...(from === null ? [] : (known ?? [])), ...page.data])
        setAfter(page.has_more ? (page.after ?? null) : null)
      } catch {
        if (number !== asked.current) return
        setFailed({ from })
        // The list falls back to searching titles.
        if (from === null) setFound(null)
      }
      if (number === asked.current) setBusy(false)
    },
    [chat, query],
  )
  useEffect(() => {
    if (!isWanted) {
      asked.current += 1
      setFound(null)
      setAfter(null)
      setBusy(false)
      setFailed(null)
      return undefined
    }
    const timer = setTimeout(() => void find(null), PAUSE)
    return () => clearTimeout(timer)
  }, [isWanted, find])

  const edit = useCallback<EditThread>(
    (id, edit) =>
      setFound(
        (known) =>
          known?.flatMap((row) => {
            const thread = row.thread.id === id ? edit(row.thread) : row.thread
            return thread === null ? [] : { ...row, thread }
          }) ?? null,
      ),
    [],
  )
  return {
    found: isWanted ? found : null,
    isBusy,
    retry: failed === null ? null : () => void find(failed.from),
    more: after === null ? null : () => void find(after),
    edit,
  }
}
