import { HeaderIcon } from './HeaderIcon'
import { CloseIcon, ExportIcon, HistoryIcon, NewIcon } from './icons'
import { IconButton } from './IconButton'
import { useChat, useText } from './context'
import { useStore } from './useStore'

export function Header() {
  const chat = useChat()
  const text = useText()
  const options = useStore(chat.state, (state) => state.options)
  const view = useStore(chat.state, (state) => state.view)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const threadTitle = useStore(chat.state, (state) => state.thread.thread?.title)
  const { title, leftAction, rightAction } = options?.header ?? {}
  const hasHistory = options?.history?.enabled !== false
  const shown = view === 'history' ? text('chats') : (title?.text ?? threadTitle ?? '')

  return (
    <header className="header">
      {leftAction && (
        <IconButton label={leftAction.icon.replaceAll('-', ' ')} onClick={() => leftAction.onClick()}>
          <HeaderIcon name={leftAction.icon} />
        </IconButton>
      )}
      {title?.enabled !== false && shown !== '' ? (
        <h2 className="header-title" title={shown}>
          {shown}
        </h2>
      ) : (
        <span className="header-title" />
      )}
      {options?.header?.export && view === 'thread' && threadId !== null && (
        <IconButton label={text('exportThread')} onClick={() => void chat.exportThread()}>
          <ExportIcon />
        </IconButton>
      )}
      {view === 'thread' && (
        <IconButton
          label={text('newChat')}
          disabled={threadId === null}
          onClick={() => void chat.setThreadId(null)}
        >
          <NewIcon />
        </IconButton>
      )}
      {/* An app may show the list of chats itself; there is always a way back. */}
      {view === 'history' ? (
        <IconButton label={text('backToChat')} onClick={() => void chat.hideHistory()}>
          <CloseIcon />
        </IconButton>
      ) : (
        hasHistory && (
          <IconButton label={text('chats')} onClick={() => void chat.showHistory()}>
            <HistoryIcon />
          </IconButton>
        )
      )}
      {rightAction && (
        <IconButton label={rightAction.icon.replaceAll('-', ' ')} onClick={() => rightAction.onClick()}>
          <HeaderIcon name={rightAction.icon} />
        </IconButton>
      )}
    </header>
  )
}
