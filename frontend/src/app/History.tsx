import { useCallback, useEffect, useRef, useState } from 'react'

import type { ThreadMetadata } from '../protocol/types'
import { useChat } from './App'
import { DeleteIcon, RenameIcon } from './icons'
import { IconButton } from './IconButton'
import { useStore } from './store'

const PAGE = 30

/** The threads of a person: search, open, rename, delete. */
export function History() {
  const chat = useChat()
  const options = useStore(chat.state, (state) => state.options)
  const [threads, setThreads] = useState<ThreadMetadata[]>([])
  const [after, setAfter] = useState<string | null>(null)
  const [status, setStatus] = useState<'loading' | 'failed' | 'ready'>('loading')
  const [query, setQuery] = useState('')
  const [renaming, setRenaming] = useState<string | null>(null)
  const [deleting, setDeleting] = useState<string | null>(null)
  const search = useRef<HTMLInputElement>(null)

  const load = useCallback(
    async (from: string | null): Promise<void> => {
      setStatus('loading')
      try {
        const page = await chat.client?.request('threads.list', {
          limit: PAGE,
          order: 'desc',
          ...(from !== null && { after: from }),
        })
        setThreads((known) => [...(from === null ? [] : known), ...(page?.data ?? [])])
        setAfter(page?.has_more ? (page.after ?? null) : null)
        setStatus('ready')
      } catch {
        setStatus('failed')
      }
    },
    [chat],
  )

  useEffect(() => {
    void load(null)
    search.current?.focus()
  }, [load])

  const rename = async (thread: ThreadMetadata, title: string): Promise<void> => {
    setRenaming(null)
    if (title.trim() === '' || title === thread.title) return
    await chat.client?.request('threads.update', { thread_id: thread.id, title: title.trim() })
    setThreads((known) => known.map((each) => (each.id === thread.id ? { ...each, title } : each)))
  }

  const remove = async (thread: ThreadMetadata): Promise<void> => {
    setDeleting(null)
    await chat.client?.request('threads.delete', { thread_id: thread.id })
    setThreads((known) => known.filter((each) => each.id !== thread.id))
    if (chat.state.get().threadId === thread.id) {
      await chat.setThreadId(null)
      await chat.showHistory()
    }
  }

  const dates = new Intl.DateTimeFormat(options?.locale, { dateStyle: 'medium' })
  const wanted = query.trim().toLocaleLowerCase()
  const found = threads.filter((thread) => nameOf(thread).toLocaleLowerCase().includes(wanted))
  return (
    <main className="column history">
      <h1 className="visually-hidden">Chats</h1>
      <input
        ref={search}
        className="field"
        type="search"
        value={query}
        placeholder="Search chats"
        aria-label="Search chats"
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && void chat.hideHistory()}
      />
      <ul>
        {found.map((thread) => (
          <li key={thread.id}>
            {renaming === thread.id ? (
              <input
                className="field"
                aria-label="Title"
                defaultValue={nameOf(thread)}
                autoFocus
                onBlur={(event) => void rename(thread, event.target.value)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter') event.currentTarget.blur()
                  if (event.key === 'Escape') setRenaming(null)
                }}
              />
            ) : (
              <button
                type="button"
                className="history-title"
                onClick={() => void chat.setThreadId(thread.id)}
              >
                {nameOf(thread)}
              </button>
            )}
            {deleting === thread.id ? (
              <>
                <button type="button" className="prompt" onClick={() => setDeleting(null)}>
                  Keep
                </button>
                <button type="button" className="prompt" onClick={() => void remove(thread)}>
                  Delete
                </button>
              </>
            ) : (
              <>
                <time dateTime={String(thread.created_at)}>
                  {dates.format(new Date(String(thread.created_at)))}
                </time>
                {options?.history?.showRename !== false && (
                  <IconButton
                    small
                    label={`Rename ${nameOf(thread)}`}
                    onClick={() => setRenaming(thread.id)}
                  >
                    <RenameIcon />
                  </IconButton>
                )}
                {options?.history?.showDelete !== false && (
                  <IconButton
                    small
                    label={`Delete ${nameOf(thread)}`}
                    onClick={() => setDeleting(thread.id)}
                  >
                    <DeleteIcon />
                  </IconButton>
                )}
              </>
            )}
          </li>
        ))}
      </ul>
      {status === 'loading' && <p className="waiting">Loading…</p>}
      {status === 'failed' && (
        <p className="note danger" role="alert">
          <span>The chats could not be loaded.</span>
          <button type="button" className="prompt" onClick={() => void load(null)}>
            Try again
          </button>
        </p>
      )}
      {status === 'ready' && found.length === 0 && (
        <p className="caption">{wanted === '' ? 'There are no chats yet.' : 'Nothing found.'}</p>
      )}
      {status === 'ready' && after !== null && (
        <button type="button" className="prompt" onClick={() => void load(after)}>
          Older chats
        </button>
      )}
    </main>
  )
}

function nameOf(thread: ThreadMetadata): string {
  return thread.title ?? 'Untitled'
}
