import { createContext, useContext, type ComponentType } from 'react'

import type { Chat } from '../chat/chat'
import type { Widget } from '../protocol/types'
import { useStore } from './useStore'
import type { Say } from '../i18n/texts'

export const ChatContext = createContext<Chat | null>(null)

/** Return the chat that a component belongs to. */
export function useChat(): Chat {
  const chat = useContext(ChatContext)
  if (chat === null) throw new Error('There is no chat around this component.')
  return chat
}

/**
 * Draws the widget of a preview.
 *
 * It comes through context because importing it would be a cycle: widgets contain Markdown,
 * Markdown links to sources, and sources have previews.
 */
export const PreviewWidgetContext = createContext<ComponentType<{ widget: Widget }> | null>(null)

/** Return the chat's own texts in the reader's language. */
export function useText(): Say {
  return useStore(useChat().texts.state, (state) => state.say)
}

export function useLocale(): string {
  return useStore(useChat().texts.state, (state) => state.locale)
}
