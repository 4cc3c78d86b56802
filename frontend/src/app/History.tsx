import { useCallback, useEffect, useRef, useState } from 'react'

import type { ThreadMetadata } from '../protocol/types'
import { useChat, useLocale, useText } from './context'
import { DeleteIcon, RenameIcon } from './icons'
import { IconButton } from './IconButton'
import { useStore } from './store'

const PAGE = 30

/** The threads of a person: search, open, rename, delete. */
export function History() {
  const chat = useChat()
  const text = useText()
  const locale = useLocale()
  const options = useStore(chat.state, (state) => state.options)
  const [threads, setThreads] = useState<ThreadMetadata[]>([])
  const [after, setAfter] = useState<string | null>(null)
  const [status, setStatus] = useState<'loading' | 'failed' | 'ready'>('loading')
  const [query, setQuery] = useState('')
  const [renaming, setRenaming] = useState<string | null>(null)
  const [deleting, setDeleting] = useState<string | null>(null)
  const search = useRef<HTMLInputElement>(null)

  const nameOf = (thread: ThreadMetadata): string => thread.title ?? text('untitled')

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

  const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })
  const wanted = query.trim().toLocaleLowerCase()
  const found = threads.filter((thread) => nameOf(thread).toLocaleLowerCase().includes(wanted))
  return (
    <main className="column history">
      <h1 className="visually-hidden">{text('chats')}</h1>
      <input
        ref={search}
        className="field"
        type="search"
        value={query}
        placeholder={text('searchChats')}
        aria-label={text('searchChats')}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && void chat.hideHistory()}
      />
      <ul>
        {found.map((thread) => (
          <li key={thread.id}>
            {renaming === thread.id ? (
              <input
                className="field"
                aria-label={text('title')}
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
                  {text('keep')}
                </button>
                <button type="button" className="prompt" onClick={() => void remove(thread)}>
                  {text('delete')}
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
                    label={text('rename', { title: nameOf(thread) })}
                    onClick={() => setRenaming(thread.id)}
                  >
                    <RenameIcon />
                  </IconButton>
                )}
                {options?.history?.showDelete !== false && (
                  <IconButton
                    small
                    label={text('deleteNamed', { title: nameOf(thread) })}
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
      {status === 'loading' && <p className="waiting">{text('loading')}</p>}
      {status === 'failed' && (
        <p className="note danger" role="alert">
          <span>{text('chatsFailed')}</span>
          <button type="button" className="prompt" onClick={() => void load(null)}>
            {text('tryAgain')}
          </button>
        </p>
      )}
      {status === 'ready' && found.length === 0 && (
        <p className="caption">{text(wanted === '' ? 'noChats' : 'nothingFound')}</p>
      )}
      {status === 'ready' && after !== null && (
        <button type="button" className="prompt" onClick={() => void load(after)}>
          {text('more')}
        </button>
      )}
    </main>
  )
}
