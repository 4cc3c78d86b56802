import { memo, type RefObject } from 'react'

import type { ThreadState } from '../protocol/thread'
import type { ThreadItem } from '../protocol/types'
import { KeepPlace } from './KeepPlace'
import { Section } from './Section'
import { useSections } from './sections'
import { isAnsweredAt, isQuestion } from './turn'

interface ItemsProps {
  items: readonly ThreadItem[]
  /** The items being written, if the last turn is running. */
  open: ThreadState['open'] | null
  scroller: RefObject<HTMLElement | null>
}

/** The items of a thread. */
export const Items = memo(function Items({ items, open, scroller }: ItemsProps) {
  const sections = useSections(items)
  const live = open === null ? items.length : items.findLastIndex(isQuestion)
  let end = items.length - sections.reduce((sum, section) => sum + section.length, 0)
  let question = items.slice(0, end).findLast(isQuestion) ?? null
  return (
    <>
      <KeepPlace scroller={scroller} first={sections[0]?.[0]?.id} />
      {sections.map((section) => {
        const asked = question
        question = section.findLast(isQuestion) ?? question
        end += section.length
        return (
          <Section
            key={section[0]?.id}
            items={section}
            question={asked}
            open={end > live ? open : null}
            isOver={!isAnsweredAt(items, end)}
          />
        )
      })}
    </>
  )
})
