import { memo } from 'react'

import type { ThreadState } from '../protocol/thread'
import type { ThreadItem, UserMessageItem } from '../protocol/types'
import { Item } from './Item'
import { endsOf, isQuestion } from './turn'

/** The assumed height of an item that has not been rendered, in pixels. */
const HEIGHT = 120

interface SectionProps {
  items: readonly ThreadItem[]
  /** The last user message before the section. */
  question: UserMessageItem | null
  /** The items being written, if the running turn is in the section. */
  open: ThreadState['open'] | null
  /** Whether no answer continues after the section. */
  isOver: boolean
}

/** A section of a thread. */
export const Section = memo(function Section({ items, open, isOver, ...rest }: SectionProps) {
  const live = open === null ? items.length : items.findLastIndex(isQuestion)
  const ends = endsOf(items, isOver && open === null)
  let { question } = rest
  return (
    <section
      className="section"
      style={{ containIntrinsicBlockSize: `auto ${items.length * HEIGHT}px` }}
    >
      {items.map((item, index) => {
        if (isQuestion(item)) question = item
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
      })}
    </section>
  )
}, isSame)

/** Return whether the props are equal; lists are equal if they have the same items. */
function isSame(before: SectionProps, after: SectionProps): boolean {
  return (
    before.items.length === after.items.length &&
    before.items.every((item, index) => item === after.items[index]) &&
    before.question === after.question &&
    before.open === after.open &&
    before.isOver === after.isOver
  )
}
