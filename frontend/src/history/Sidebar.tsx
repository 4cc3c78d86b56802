import { useEffect, useState } from 'react'

import { useChat, useText } from '../ui/context'
import { NewIcon } from '../ui/icons'
import { ariaKeysOf } from '../ui/shortcutKeys'
import { ShortcutsButton } from '../ui/ShortcutsButton'
import { SidebarToggle, type SidebarState } from '../ui/SidebarToggle'
import { useStore } from '../ui/useStore'
import { ChatList } from './ChatList'

const WIDE = '(min-width: 1100px)'

const KEY = 'chatkit.sidebar'

/** Return the state of the sidebar, or `null` if the list of chats is a panel. */
export function useSidebar(): SidebarState | null {
  const chat = useChat()
  const isWanted = useStore(
    chat.state,
    ({ options }) => options?.history?.layout === 'sidebar' && options.history.enabled !== false,
  )
  const view = useStore(chat.state, (state) => state.view)
  const isWide = useMedia(WIDE)
  const [isOpen, setOpen] = useState(() => stored(KEY) !== 'closed')
  const [wasToggled, setToggled] = useState(false)
  const hasSidebar = isWanted && isWide

  // If the app asks for the list of chats, open the sidebar, which contains it.
  useEffect(() => {
    if (!hasSidebar || view !== 'history') return
    setOpen(true)
    store(KEY, 'open')
    void chat.hideHistory()
  }, [chat, hasSidebar, view])
  const toggle = (): void => {
    setToggled(true)
    setOpen(!isOpen)
    store(KEY, isOpen ? 'closed' : 'open')
  }
  return hasSidebar ? { isOpen, wasToggled, toggle } : null
}

/** The list of chats beside the thread. */
export function Sidebar(sidebar: SidebarState) {
  const chat = useChat()
  const text = useText()
  const name = useStore(chat.state, ({ options }) => options?.frameTitle)
  return (
    <nav className="sidebar" aria-label={text('chats')}>
      <div className="sidebar-top">
        <h2 className="header-title" dir="auto" title={name}>
          {name ?? text('chats')}
        </h2>
        <ShortcutsButton />
        <SidebarToggle {...sidebar} />
      </div>
      <button
        type="button"
        className="sidebar-new"
        aria-keyshortcuts={ariaKeysOf('newChat')}
        onClick={() => void chat.setThreadId(null).then(() => chat.focus())}
      >
        <NewIcon />
        {text('newChat')}
      </button>
      <ChatList onEscape={() => chat.focus()} />
    </nav>
  )
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const look = (): void => setMatches(media.matches)
    look()
    media.addEventListener('change', look)
    return () => media.removeEventListener('change', look)
  }, [query])
  return matches
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Without storage, the sidebar is open after a reload.
  }
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
