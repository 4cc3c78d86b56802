import { memo, type RefObject } from 'react'

import type { ThreadState } from '../../protocol/thread'
import type { ThreadItem } from '../../protocol/types'
import { KeepPlace } from '../KeepPlace'
import { Section } from './Section'
import { useSections } from './sections'
import { isAnswer, isQuestion } from './turn'

interface ItemsProps {
  items: readonly ThreadItem[]
  /** What is being written, while the last turn goes on. */
  open: ThreadState['open'] | null
  scroller: RefObject<HTMLElement | null>
}

/** The items of a thread. */
export const Items = memo(function Items({ items, open, scroller }: ItemsProps) {
  const sections = useSections(items)
  const live = open === null ? items.length : items.findLastIndex(isQuestion)
  let end = items.length - sections.reduce((sum, section) => sum + section.length, 0)
  return (
    <>
      <KeepPlace scroller={scroller} first={sections[0]?.[0]?.id} />
      {sections.map((section) => {
        const start = end
        end += section.length
        const next = items.slice(end).find((item) => isQuestion(item) || isAnswer(item))
        return (
          <Section
            key={section[0]?.id}
            items={section}
            question={items.slice(0, start).findLast(isQuestion) ?? null}
            open={end > live ? open : null}
            isOver={next === undefined || isQuestion(next)}
          />
        )
      })}
    </>
  )
})
