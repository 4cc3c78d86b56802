import { useEffect, useId, useMemo, useState } from 'react'

import { firstOf, found } from './optionSearch'
import type { Option } from './values'

/** How many options are drawn before a person asks for more. */
export const PAGE = 100

export interface OptionList {
  id: string
  isOpen: boolean
  query: string
  /** The options that match the query, as many as are drawn. */
  shown: readonly Option[]
  /** The index of the option that the arrow keys have reached, or -1. */
  active: number
  activeId: string | undefined
  setActive: (index: number) => void
  /** Open the list at an option; by default at the chosen one, or the first. */
  open: (at?: number) => void
  close: () => void
  search: (query: string) => void
  /** Draws more options; `null` if all are drawn. */
  more: (() => void) | null
}

/** The state of a list of options that opens, is searched, and is moved through. */
export function useOptionList(options: readonly Option[], chosen: Option | null): OptionList {
  const id = useId()
  const [isOpen, setOpen] = useState(false)
  const [query, setQuery] = useState('')
  const [limit, setLimit] = useState(PAGE)
  const [active, setActive] = useState(-1)
  const matches = useMemo(() => found(options, query), [options, query])
  const shown = matches.slice(0, limit)
  const activeId = active in shown ? `${id}-${active}` : undefined
  useEffect(() => {
    if (activeId === undefined) return
    document.getElementById(activeId)?.scrollIntoView({ block: 'nearest' })
  }, [activeId])
  return {
    id,
    isOpen,
    query,
    shown,
    active,
    activeId,
    setActive,
    open(at) {
      const index = options.findIndex((option) => option === chosen && !option.isDisabled)
      const start = at ?? (index >= 0 ? index : firstOf(options))
      setQuery('')
      setLimit(Math.max(PAGE, start + PAGE / 2))
      setActive(start)
      setOpen(true)
    },
    close: () => setOpen(false),
    search(next) {
      setQuery(next)
      setLimit(PAGE)
      setActive(firstOf(found(options, next)))
    },
    more: matches.length > limit ? () => setLimit(limit + PAGE) : null,
  }
}
