import { memo } from 'react'

import type { ThreadState } from '../../protocol/thread'
import type { ThreadItem } from '../../protocol/types'
import { Item } from './Item'
import { isAnswer } from './turn'

interface ItemsProps {
  items: readonly ThreadItem[]
  /** What is being written, while the last turn goes on. */
  open: ThreadState['open'] | null
}

/** The items of a thread, flat, so that each keeps its place when others come before it. */
export const Items = memo(function Items({ items, open }: ItemsProps) {
  let isLive = open !== null
  let isEnd = !isLive
  return items
    .toReversed()
    .map((item) => {
      const drawn = (
        <Item
          key={item.id}
          item={item}
          isOpen={isLive && (open?.has(item.id) ?? false)}
          isLive={isLive}
          hasActions={isEnd && isAnswer(item)}
          progress={(isLive && open?.get(item.id)) || null}
        />
      )
      if (isAnswer(item)) isEnd = false
      if (item.type === 'user_message') {
        isLive = false
        isEnd = true
      }
      return drawn
    })
    .reverse()
})
