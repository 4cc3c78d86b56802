import { Suspense, useEffect, useEffectEvent } from 'react'

import { announce } from './chat/announce'
import { lastAnswer, textOfAnswer } from './items/turn'
import { useChat, useText } from './ui/context'
import { copyText } from './ui/copyText'
import { part } from './ui/part'
import { sheet, shortcutOf, type Shortcut } from './ui/shortcutKeys'
import type { SidebarState } from './ui/SidebarToggle'
import { useStore } from './ui/useStore'

const ShortcutSheet = part(() => import('./ui/ShortcutSheet'))

/** Handles the keyboard shortcuts, anywhere in the chat. */
export function Shortcuts({ sidebar }: { sidebar: SidebarState | null }) {
  const run = useShortcuts(sidebar)
  const isOpen = useStore(sheet, (state) => state.isOpen)
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const shortcut = shortcutOf(event)
    // No shortcut works while a dialog is open.
    if (shortcut === null || event.defaultPrevented || document.querySelector('dialog[open]'))
      return
    event.preventDefault()
    run[shortcut]()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event)
    window.addEventListener('keydown', listener)
    return () => window.removeEventListener('keydown', listener)
  }, [])
  if (!isOpen) return null
  return (
    <Suspense>
      <ShortcutSheet />
    </Suspense>
  )
}

function useShortcuts(sidebar: SidebarState | null): Record<Shortcut, () => void> {
  const chat = useChat()
  const text = useText()
  const write = async (): Promise<void> => {
    await chat.hideHistory()
    // Wait until the composer is rendered.
    requestAnimationFrame(() => chat.focus())
  }
  const search = (): void => {
    if (chat.state.get().options?.history?.enabled === false) return
    if (sidebar?.isOpen === false) sidebar.toggle()
    else if (sidebar === null) void chat.showHistory()
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>('.history input[type=search]')?.focus(),
    )
  }
  const copy = async (): Promise<void> => {
    const answer = textOfAnswer(lastAnswer(chat.state.get().thread.items))
    if (answer !== '') announce(text((await copyText(answer)) ? 'copied' : 'actionFailed'))
  }
  return {
    newChat: () => void chat.setThreadId(null).then(write),
    searchChats: search,
    writeMessage: () => void write(),
    stop: () => {
      const { isResponding, thread } = chat.state.get()
      if (isResponding && thread.allowCancel) chat.stop()
    },
    copyLast: () => void copy(),
    shortcuts: () => sheet.set({ isOpen: true }),
  }
}
