import { HeaderIcon } from './HeaderIcon'
import { CloseIcon, HistoryIcon, NewIcon } from './icons'
import { IconButton } from './IconButton'
import { useChat } from './App'
import { useStore } from './store'

export function Header() {
  const chat = useChat()
  const options = useStore(chat.state, (state) => state.options)
  const view = useStore(chat.state, (state) => state.view)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const threadTitle = useStore(chat.state, (state) => state.thread.thread?.title)
  const { title, leftAction, rightAction } = options?.header ?? {}
  const hasHistory = options?.history?.enabled !== false
  const text = view === 'history' ? 'Chats' : (title?.text ?? threadTitle ?? '')

  return (
    <header className="header">
      {leftAction && (
        <IconButton label={leftAction.icon} onClick={() => leftAction.onClick()}>
          <HeaderIcon name={leftAction.icon} />
        </IconButton>
      )}
      {title?.enabled !== false && text !== '' ? (
        <h2 className="header-title">{text}</h2>
      ) : (
        <span className="header-title" />
      )}
      {view === 'thread' && (
        <IconButton
          label="New chat"
          disabled={threadId === null}
          onClick={() => void chat.setThreadId(null)}
        >
          <NewIcon />
        </IconButton>
      )}
      {hasHistory &&
        (view === 'history' ? (
          <IconButton label="Back to the chat" onClick={() => void chat.hideHistory()}>
            <CloseIcon />
          </IconButton>
        ) : (
          <IconButton label="Chats" onClick={() => void chat.showHistory()}>
            <HistoryIcon />
          </IconButton>
        ))}
      {rightAction && (
        <IconButton label={rightAction.icon} onClick={() => rightAction.onClick()}>
          <HeaderIcon name={rightAction.icon} />
        </IconButton>
      )}
    </header>
  )
}
