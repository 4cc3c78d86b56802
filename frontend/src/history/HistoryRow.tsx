import { memo, useEffect, useRef, useState } from 'react'

import { markOf } from '../chat/list'
import type { ListedThread } from '../protocol/live'
import type { FoundThread } from '../protocol/search'
import type { ThreadMetadata } from '../protocol/types'
import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { DeleteConfirmation } from './DeleteConfirmation'
import { RowButtons } from './RowButtons'
import { TitleInput } from './TitleInput'

export interface RowProps {
  thread: ListedThread
  /** The part of a message that a search found. */
  snippet?: FoundThread['snippet']
  onRename: (thread: ThreadMetadata, title: string) => Promise<void>
  onDelete: (thread: ThreadMetadata) => Promise<void>
}

/** A thread that can be opened, renamed in place, and deleted after a confirmation. */
export const HistoryRow = memo(function HistoryRow(props: RowProps) {
  const { thread, snippet = [], onRename, onDelete } = props
  const chat = useChat()
  const text = useText()
  const name = thread.title || text('untitled')
  const isCurrent = useStore(chat.state, (state) => state.threadId === thread.id)
  const [mode, setMode] = useState<'shown' | 'renaming' | 'deleting'>('shown')
  const opener = useRef<HTMLButtonElement>(null)
  const wasShown = useRef(true)

  // After renaming or deciding against deletion, the focus stays in the row.
  useEffect(() => {
    if (mode === 'shown' && !wasShown.current) opener.current?.focus()
    wasShown.current = mode === 'shown'
  }, [mode])

  const rename = (title: string): void => {
    setMode('shown')
    if (title !== '' && title !== thread.title) void onRename(thread, title)
  }
  const remove = (): void => {
    setMode('shown')
    void onDelete(thread)
  }
  const cancel = (): void => setMode('shown')
  if (mode === 'renaming') {
    return (
      <li>
        <TitleInput title={name} onDone={rename} onCancel={cancel} />
      </li>
    )
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
        {snippet.length > 0 && <Snippet pieces={snippet} />}
      </button>
      <Mark thread={thread} />
      {mode === 'deleting' ? (
        <DeleteConfirmation onDelete={remove} onCancel={cancel} />
      ) : (
        <RowButtons thread={thread} name={name} onMode={setMode} />
      )}
    </li>
  )
})

function Snippet({ pieces }: { pieces: FoundThread['snippet'] }) {
  return (
    <span className="history-snippet" dir="auto">
      {pieces.map(({ text, is_match: isMatch }, index) =>
        isMatch ? <mark key={index}>{text}</mark> : text,
      )}
    </span>
  )
}

/** Shows that an answer is in progress, or was not seen yet. */
function Mark({ thread }: { thread: ListedThread }) {
  const chat = useChat()
  const text = useText()
  const isCurrent = useStore(chat.state, (state) => state.threadId === thread.id)
  const turn =
    useStore(chat.state, (state) => (isCurrent ? state.thread.turn : null)) ?? thread.turn
  const seen = useStore(chat.list.state, (state) => state.seen)
  const mark = isCurrent && turn?.state !== 'running' ? null : markOf(turn, thread.id, seen)
  if (mark === null) return null
  return (
    <span
      className={`history-mark ${mark}`}
      role="img"
      aria-label={text(mark === 'answering' ? 'working' : 'newAnswer')}
    />
  )
}
