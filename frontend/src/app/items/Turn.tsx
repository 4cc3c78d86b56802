import { memo } from 'react'

import type { AssistantMessageItem, ThreadItem } from '../../protocol/types'
import type { ThreadState } from '../../protocol/thread'
import { AnswerActions } from './AnswerActions'
import { Item } from './Item'

interface TurnProps {
  /** What a person said, and all that came of it. */
  items: readonly ThreadItem[]
  /** What is being written, while the turn goes on. */
  open: ThreadState['open'] | null
}

/** One turn; it is drawn again only if something in it has changed. */
export const Turn = memo(function Turn({ items, open }: TurnProps) {
  const answers = items.filter(isAnswer)
  const last = answers.at(-1)
  const first = items[0]
  return items.map((item) => (
    <Item
      key={item.id}
      item={item}
      isOpen={open?.has(item.id) ?? false}
      isLive={open !== null}
      progress={open?.get(item.id) ?? null}
    >
      {item === last && open === null && (
        <AnswerActions
          answers={answers}
          question={first?.type === 'user_message' ? first : null}
        />
      )}
    </Item>
  ))
}, isSame)

function isSame(before: TurnProps, after: TurnProps): boolean {
  return (
    before.open === after.open &&
    before.items.length === after.items.length &&
    before.items.every((item, index) => item === after.items[index])
  )
}

function isAnswer(item: ThreadItem): item is AssistantMessageItem {
  return item.type === 'assistant_message' && item.content.some((part) => part.text !== '')
}

/** Cut a thread where a person says something. */
export function turnsOf(items: readonly ThreadItem[]): ThreadItem[][] {
  const turns: ThreadItem[][] = []
  for (const item of items) {
    if (item.type === 'user_message' || turns.length === 0) turns.push([item])
    else turns.at(-1)?.push(item)
  }
  return turns
}
