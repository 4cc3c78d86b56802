/** Turns: a user message and its answer. */

import type { AssistantMessageItem, ThreadItem, UserMessageItem } from '../protocol/types'

/** Return the last message of each finished answer. */
export function endsOf(items: readonly ThreadItem[], isOver: boolean): ReadonlySet<ThreadItem> {
  const ends = new Set<ThreadItem>()
  let end: ThreadItem | null = null
  for (const item of items) {
    if (isAnswer(item)) end = item
    if (!isQuestion(item) || end === null) continue
    ends.add(end)
    end = null
  }
  return isOver && end !== null ? ends.add(end) : ends
}

/** Return whether an answer continues at an index, or after it. */
export function isAnsweredAt(items: readonly ThreadItem[], index: number): boolean {
  for (let at = index; at < items.length; at++) {
    const item = items[at]
    if (item === undefined || isQuestion(item)) return false
    if (isAnswer(item)) return true
  }
  return false
}

/** Return the messages of the answer that ends with a message. */
export function answerOf(items: readonly ThreadItem[], endId: string): AssistantMessageItem[] {
  const end = items.findLastIndex((item) => item.id === endId) + 1
  const before = items.slice(0, end)
  return before.slice(before.findLastIndex(isQuestion) + 1).filter(isAnswer)
}

/** Return the text of an answer. */
export function textOfAnswer(messages: readonly AssistantMessageItem[]): string {
  return messages.flatMap(({ content }) => content.map((part) => part.text)).join('\n\n')
}

/** Return the messages of the last answer. */
export function lastAnswer(items: readonly ThreadItem[]): AssistantMessageItem[] {
  const end = items.findLast(isAnswer)
  return end === undefined ? [] : answerOf(items, end.id)
}

export function isQuestion(item: ThreadItem): item is UserMessageItem {
  return item.type === 'user_message'
}

function isAnswer(item: ThreadItem): item is AssistantMessageItem {
  return item.type === 'assistant_message' && item.content.some((part) => part.text !== '')
}
