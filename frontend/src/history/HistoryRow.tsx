import { memo, useEffect, useRef, useState } from 'react'

import type { FoundThread } from '../protocol/search'
import type { ThreadMetadata } from '../protocol/types'
import { useChat, useLocale, useText } from '../ui/context'
import { markOf } from '../chat/list'
import type { ListedThread } from '../protocol/live'
import { timeOf } from './historyList'
import { DeleteIcon, RenameIcon } from '../ui/icons'
import { IconButton } from '../ui/IconButton'
import { useStore } from '../ui/useStore'

interface HistoryRowProps {
  thread: ListedThread
  /** What was found in it. */
  snippet?: FoundThread['snippet']
  onRename: (thread: ThreadMetadata, title: string) => Promise<void>
  onDelete: (thread: ThreadMetadata) => Promise<void>
}

/** A thread that can be opened, renamed in place, and deleted once that is confirmed. */
export const HistoryRow = memo(function HistoryRow(props: HistoryRowProps) {
  const { thread, snippet, onRename, onDelete } = props
  const chat = useChat()
  const text = useText()
  const locale = useLocale()
  const name = thread.title || text('untitled')
  const history = useStore(chat.state, (state) => state.options?.history)
  const isCurrent = useStore(chat.state, (state) => state.threadId === thread.id)
  const turn =
    useStore(chat.state, (state) => (isCurrent ? state.thread.turn : null)) ?? thread.turn
  const seen = useStore(chat.list.state, (state) => state.seen)
  const mark = isCurrent && turn?.state !== 'running' ? null : markOf(turn, thread.id, seen)
  const [mode, setMode] = useState<'shown' | 'renaming' | 'deleting'>('shown')
  const opener = useRef<HTMLButtonElement>(null)
  const wasShown = useRef(true)

  // Who has finished with a row is still at that row.
  useEffect(() => {
    if (mode === 'shown' && !wasShown.current) opener.current?.focus()
    wasShown.current = mode === 'shown'
  }, [mode])

  if (mode === 'renaming') {
    const finish = (title: string): void => {
      setMode('shown')
      if (title !== '' && title !== thread.title) void onRename(thread, title)
    }
    return (
      <li>
        <input
          className="field"
          aria-label={text('title')}
          defaultValue={name}
          autoFocus
          onFocus={(event) => event.target.select()}
          onBlur={(event) => finish(event.target.value.trim())}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return
            if (event.key !== 'Enter' && event.key !== 'Escape') return
            // The button that has the focus next is not meant.
            event.preventDefault()
            event.stopPropagation()
            if (event.key === 'Enter') {
              event.currentTarget.blur()
              return
            }
            event.currentTarget.value = ''
            setMode('shown')
          }}
        />
      </li>
    )
  }
  const confirm = (): void => {
    setMode('shown')
    void onDelete(thread)
  }
  return (
    <li>
      <button
        ref={opener}
        type="button"
        className="history-title"
        aria-current={isCurrent || undefined}
        title={name}
        onClick={() => void chat.setThreadId(thread.id)}
      >
        <span dir="auto">{name}</span>
        {snippet !== undefined && snippet.length > 0 && (
          <span className="history-snippet" dir="auto">
            {snippet.map(({ text, is_match: isMatch }, index) =>
              isMatch ? <mark key={index}>{text}</mark> : text,
            )}
          </span>
        )}
      </button>
      {mark !== null && (
        <span
          className={`history-mark ${mark}`}
          role="img"
          aria-label={text(mark === 'answering' ? 'working' : 'newAnswer')}
        />
      )}
      {mode === 'deleting' ? (
        <span
          className="history-confirm"
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            event.stopPropagation()
            setMode('shown')
          }}
        >
          <button type="button" className="prompt" autoFocus onClick={() => setMode('shown')}>
            {text('keep')}
          </button>
          <button type="button" className="prompt danger" onClick={confirm}>
            {text('delete')}
          </button>
        </span>
      ) : (
        <>
          <time dateTime={String(thread.created_at)}>{timeOf(thread, locale)}</time>
          {history?.showRename !== false && (
            <IconButton
              small
              label={text('rename', { title: name })}
              onClick={() => setMode('renaming')}
            >
              <RenameIcon />
            </IconButton>
          )}
          {history?.showDelete !== false && (
            <IconButton
              small
              label={text('deleteNamed', { title: name })}
              onClick={() => setMode('deleting')}
            >
              <DeleteIcon />
            </IconButton>
          )}
        </>
      )}
    </li>
  )
})
