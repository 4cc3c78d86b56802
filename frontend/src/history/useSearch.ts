import { useCallback, useEffect, useRef, useState } from 'react'

import type { FoundThread } from '../protocol/search'
import { useChat } from '../ui/context'

/** How long to wait, in milliseconds, until somebody has typed enough. */
const PAUSE = 150

const PAGE = 20

export interface SearchState {
  /** `null` while nothing is searched for, or where the server cannot search. */
  found: readonly FoundThread[] | null
  isBusy: boolean
  /** Find more, if there are more. */
  more: (() => void) | null
  /** Change what was found after one of them was renamed or deleted. */
  change: (change: (found: readonly FoundThread[]) => readonly FoundThread[]) => void
}

/** Have a server that can search find the threads whose messages have some words. */
export function useSearch(query: string, canSearch: boolean): SearchState {
  const chat = useChat()
  const [found, setFound] = useState<readonly FoundThread[] | null>(null)
  const [after, setAfter] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const asked = useRef(0)
  const isWanted = canSearch && query !== ''

  const find = useCallback(
    async (from: string | null): Promise<void> => {
      const number = (asked.current += 1)
      setBusy(true)
      try {
        const page = await chat.client?.request('threads.search', {
          query,
          limit: PAGE,
          after: from,
        })
        if (number !== asked.current || page === undefined) return
        setFound((known) => [...(from === null ? [] : (known ?? [])), ...page.data])
        setAfter(page.has_more ? (page.after ?? null) : null)
      } catch {
        // The titles are searched, then.
        if (number === asked.current) setFound(null)
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
      return undefined
    }
    const timer = setTimeout(() => void find(null), PAUSE)
    return () => clearTimeout(timer)
  }, [isWanted, find])

  return {
    found: isWanted ? found : null,
    isBusy,
    more: after === null ? null : () => void find(after),
    change: (change) => setFound((known) => (known === null ? null : change(known))),
  }
}
