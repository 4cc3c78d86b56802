/** What a person says, and all that comes of it. */

import type { AssistantMessageItem, ThreadItem } from '../../protocol/types'

/** Return the last message of each answer. */
export function endsOf(items: readonly ThreadItem[]): ReadonlySet<ThreadItem> {
  const ends = new Set<ThreadItem>()
  let end: ThreadItem | null = null
  for (const item of items) {
    if (isAnswer(item)) end = item
    if (item.type !== 'user_message' || end === null) continue
    ends.add(end)
    end = null
  }
  return end === null ? ends : ends.add(end)
}

/** Return the messages of the answer that ends with one. */
export function answerOf(items: readonly ThreadItem[], endId: string): AssistantMessageItem[] {
  const end = items.findLastIndex((item) => item.id === endId) + 1
  const before = items.slice(0, end)
  return before.slice(before.findLastIndex((item) => item.type === 'user_message') + 1).filter(isAnswer)
}

function isAnswer(item: ThreadItem): item is AssistantMessageItem {
  return item.type === 'assistant_message' && item.content.some((part) => part.text !== '')
}
