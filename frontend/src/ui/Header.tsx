import type { HeaderOption } from '@openai/chatkit'
import { Suspense } from 'react'

import { CloseIcon, ExportIcon, HistoryIcon, NewIcon } from './icons'
import { IconButton } from './IconButton'
import { SidebarToggle, type SidebarState } from './SidebarToggle'
import { useChat, useText } from './context'
import { part } from './part'
import { ariaKeysOf } from './shortcutKeys'
import { ShortcutsButton } from './ShortcutsButton'
import { useStore } from './useStore'

// Loaded on demand: there are many icons, and few apps use them.
const HeaderIcon = part(() => import('./HeaderIcon'))

interface HeaderProps {
  /** The sidebar with the list of chats, if there is one. */
  sidebar?: SidebarState | null
}

/** The title of the chat, and buttons around it. */
export function Header({ sidebar = null }: HeaderProps) {
  const chat = useChat()
  const text = useText()
  const options = useStore(chat.state, (state) => state.options)
  const view = useStore(chat.state, (state) => state.view)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const hasFailed = useStore(chat.state, (state) => state.thread.error !== null)
  const threadTitle = useStore(chat.state, ({ thread: { thread }, threadId }) =>
    thread === null ? chat.list.titleOf(threadId) : thread.title,
  )
  const { title, leftAction, rightAction } = options?.header ?? {}
  const hasHistory = options?.history?.enabled !== false
  const isHistory = view === 'history' && sidebar === null
  const shown = isHistory ? text('chats') : (title?.text ?? threadTitle ?? '')

  return (
    <header className="header">
      {sidebar?.isOpen === false && <SidebarToggle {...sidebar} />}
      {leftAction && <AppButton action={leftAction} />}
      {title?.enabled !== false && shown !== '' ? (
        <h2 className="header-title" dir="auto" title={shown}>
          {shown}
        </h2>
      ) : (
        <span className="header-title" />
      )}
      {options?.header?.export && !isHistory && threadId !== null && (
        <IconButton label={text('exportThread')} onClick={() => void chat.exportThread()}>
          <ExportIcon />
        </IconButton>
      )}
      {!isHistory && sidebar?.isOpen !== true && (
        <IconButton
          label={text('newChat')}
          aria-keyshortcuts={ariaKeysOf('newChat')}
          disabled={threadId === null && !hasFailed}
          onClick={() => void chat.setThreadId(null)}
        >
          <NewIcon />
        </IconButton>
      )}
      {/* An app may show the list of chats itself; there is always a way back. */}
      {isHistory ? (
        <>
          <ShortcutsButton />
          <IconButton label={text('backToChat')} onClick={() => void chat.hideHistory()}>
            <CloseIcon />
          </IconButton>
        </>
      ) : (
        hasHistory &&
        sidebar === null && (
          <IconButton label={text('chats')} onClick={() => void chat.showHistory()}>
            <HistoryIcon />
          </IconButton>
        )
      )}
      {rightAction && <AppButton action={rightAction} />}
    </header>
  )
}

type AppAction = NonNullable<NonNullable<HeaderOption>['leftAction']>

/** A button that an app adds. */
function AppButton({ action: { icon, onClick } }: { action: AppAction }) {
  return (
    <IconButton label={icon.replaceAll('-', ' ')} onClick={() => onClick()}>
      <Suspense>
        <HeaderIcon name={icon} />
      </Suspense>
    </IconButton>
  )
}
