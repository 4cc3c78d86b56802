import { useEffect, useId, useMemo, useState } from 'react'

import { firstOf, found } from './optionSearch'
import type { Option } from './values'

/** The number of options to render until the user asks for more. */
export const PAGE = 100

export interface OptionList {
  id: string
  isOpen: boolean
  query: string
  /** The rendered options, which match the query. */
  shown: readonly Option[]
  /** The index of the option that the arrow keys reached, or -1. */
  active: number
  activeId: string | undefined
  setActive: (index: number) => void
  /** Open the list at an option; by default at the chosen one, or the first. */
  open: (at?: number) => void
  close: () => void
  search: (query: string) => void
  /** Renders more options; `null` if all are rendered. */
  more: (() => void) | null
}

/** The state of a list of options: whether it is open, the search, and the active option. */
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
