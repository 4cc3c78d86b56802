/** Cuts a long thread into sections, so that the browser skips those that are out of view. */

import { startTransition, useEffect, useState } from 'react'

import type { ThreadItem } from '../protocol/types'
import { later } from '../chat/later'

/** The number of items that can be rendered without a noticeable delay. */
const LENGTH = 50

/**
 * Return the sections of a thread to render.
 *
 * The end is rendered at once, with a page of older items; more come piece by piece. An item stays in
 * its section when others come before or after it, so that it is not rendered again.
 */
export function useSections(items: readonly ThreadItem[]): ThreadItem[][] {
  const [known, setKnown] = useState<readonly string[]>([])
  const starts = startsIn(items, known)
  const ids = starts.map((start) => items[start]?.id ?? '')
  if (ids.length !== known.length || ids.some((id, index) => id !== known[index])) setKnown(ids)
  const first = starts[0] ?? 0
  useEffect(() => {
    const next = items[Math.max(0, first - LENGTH)]
    if (first === 0 || next === undefined) return undefined
    return later(() => startTransition(() => setKnown((others) => [next.id, ...others])))
  }, [items, first])
  return starts.map((start, index) => items.slice(start, starts[index + 1]))
}

/** Return where sections start: at the previous starts, and at new ones before and after them. */
function startsIn(items: readonly ThreadItem[], known: readonly string[]): number[] {
  const ids = new Set(known)
  const starts = items.flatMap((item, index) => (ids.has(item.id) ? [index] : []))
  let last = starts.at(-1) ?? Math.max(0, items.length - LENGTH)
  if (starts.length === 0 && items.length > 0) starts.push(last)
  const [first = 0] = starts
  if (first > 0 && first <= LENGTH) starts.unshift(0)
  while (items.length - last > LENGTH) starts.push((last += LENGTH))
  return starts
}
