/** What a person says, and all that comes of it. */

import type { AssistantMessageItem, ThreadItem, UserMessageItem } from '../../protocol/types'

export interface Turn {
  question: UserMessageItem | null
  /** The messages that make up the answer. */
  answers: readonly AssistantMessageItem[]
}

/** Return the turn that an item is part of. */
export function turnOf(items: readonly ThreadItem[], id: string): Turn {
  const index = items.findLastIndex((item) => item.id === id)
  const start = items.findLastIndex((item, at) => at <= index && item.type === 'user_message')
  const next = items.findIndex((item, at) => at > index && item.type === 'user_message')
  const first = items[start]
  return {
    question: first?.type === 'user_message' ? first : null,
    answers: items.slice(Math.max(start, 0), next < 0 ? undefined : next).filter(isAnswer),
  }
}

export function isAnswer(item: ThreadItem): item is AssistantMessageItem {
  return item.type === 'assistant_message' && item.content.some((part) => part.text !== '')
}
