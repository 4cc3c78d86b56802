import { memo, startTransition, useEffect, useState, type RefObject } from 'react'

import type { ThreadState } from '../../protocol/thread'
import type { ThreadItem, UserMessageItem } from '../../protocol/types'
import { KeepPlace } from '../KeepPlace'
import { later } from '../later'
import { Item } from './Item'
import { endsOf } from './turn'

/** So many items are drawn well within what nobody notices. */
const PIECE = 100

interface ItemsProps {
  items: readonly ThreadItem[]
  /** What is being written, while the last turn goes on. */
  open: ThreadState['open'] | null
  scroller: RefObject<HTMLElement | null>
}

/** The items of a thread, flat, so that each keeps its place when others come before it. */
export const Items = memo(function Items({ items, open, scroller }: ItemsProps) {
  const start = useStart(items)
  const live = open === null ? items.length : items.findLastIndex(isQuestion)
  const ends = endsOf(items.slice(0, live + 1))
  let question: UserMessageItem | null = null
  const drawn = items.map((item, index) => {
    if (isQuestion(item)) question = item
    if (index < start) return null
    const isLive = index > live
    return (
      <Item
        key={item.id}
        item={item}
        isOpen={isLive && (open?.has(item.id) ?? false)}
        isLive={isLive}
        progress={(isLive && open?.get(item.id)) || null}
        isEnd={ends.has(item)}
        question={question}
      />
    )
  })
  return (
    <>
      <KeepPlace scroller={scroller} first={items[start]?.id} />
      {drawn.slice(start)}
    </>
  )
})

function isQuestion(item: ThreadItem): item is UserMessageItem {
  return item.type === 'user_message'
}

/** Return the index of the first item that is drawn: the end is at once, the rest piece by piece. */
function useStart(items: readonly ThreadItem[]): number {
  const [oldest, setOldest] = useState<string | undefined>()
  const known = items.findIndex((item) => item.id === oldest)
  const start = known < 0 ? Math.max(0, items.length - PIECE) : known
  useEffect(() => {
    const next = items[Math.max(0, start - PIECE)]?.id
    if (next === oldest) return undefined
    return later(() => startTransition(() => setOldest(next)))
  }, [items, start, oldest])
  return start
}
