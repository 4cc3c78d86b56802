import { useCallback, useEffect, useRef, useState } from 'react'

import type { ThreadMetadata } from '../protocol/types'
import { useChat, useLocale, useText } from './context'
import { HistoryRow } from './HistoryRow'

const PAGE = 30

/** The threads of a person: search, open, rename, delete. */
export function History() {
  const chat = useChat()
  const text = useText()
  const locale = useLocale()
  const [threads, setThreads] = useState<ThreadMetadata[]>([])
  const [after, setAfter] = useState<string | null>(null)
  const [status, setStatus] = useState<'loading' | 'failed' | 'ready'>('loading')
  const [refusal, setRefusal] = useState<string | null>(null)
  const [query, setQuery] = useState('')
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
        setThreads((known) => {
          const older = from === null ? [] : known
          const ids = new Set(older.map((thread) => thread.id))
          return [...older, ...(page?.data ?? []).filter((thread) => !ids.has(thread.id))]
        })
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

  const nameOf = (thread: ThreadMetadata): string => thread.title ?? text('untitled')
  const wanted = query.trim().toLocaleLowerCase(locale)
  const found = threads.filter((thread) =>
    nameOf(thread).toLocaleLowerCase(locale).includes(wanted),
  )
  // The server knows no search: what is looked for may be in a page that is not loaded.
  const isSearching = wanted !== '' && found.length < PAGE
  useEffect(() => {
    if (isSearching && status === 'ready' && after !== null) void load(after)
  }, [isSearching, status, after, load])

  const rename = async (thread: ThreadMetadata, title: string): Promise<void> => {
    const put = (title: string | null | undefined): void =>
      setThreads((known) =>
        known.map((each) => (each.id === thread.id ? { ...each, title: title ?? null } : each)),
      )
    put(title)
    setRefusal(null)
    try {
      await chat.renameThread(thread.id, title)
    } catch {
      put(thread.title)
      setRefusal(text('notRenamed'))
    }
  }
  const remove = async (thread: ThreadMetadata): Promise<void> => {
    setRefusal(null)
    try {
      await chat.deleteThread(thread.id)
      setThreads((known) => known.filter((each) => each.id !== thread.id))
      search.current?.focus()
    } catch {
      setRefusal(text('notDeleted'))
    }
  }

  return (
    <main
      className="column history"
      onKeyDown={(event) => event.key === 'Escape' && void chat.hideHistory()}
    >
      <h1 className="visually-hidden">{text('chats')}</h1>
      <input
        ref={search}
        className="field"
        type="search"
        value={query}
        placeholder={text('searchChats')}
        aria-label={text('searchChats')}
        onChange={(event) => setQuery(event.target.value)}
      />
      {refusal !== null && (
        <p className="note danger" role="alert">
          <span>{refusal}</span>
        </p>
      )}
      {groupsOf(found, locale).map(([day, group]) => (
        <section key={day} aria-label={day}>
          <h2 className="history-day">{day}</h2>
          <ul>
            {group.map((thread) => (
              <HistoryRow
                key={thread.id}
                name={nameOf(thread)}
                thread={thread}
                onOpen={() => void chat.setThreadId(thread.id)}
                onRename={(title) => void rename(thread, title)}
                onDelete={() => void remove(thread)}
              />
            ))}
          </ul>
        </section>
      ))}
      {status === 'loading' && <p className="waiting">{text('loading')}</p>}
      {status === 'failed' && (
        <p className="note danger" role="alert">
          <span>{text('chatsFailed')}</span>
          <button type="button" className="prompt" onClick={() => void load(after)}>
            {text('tryAgain')}
          </button>
        </p>
      )}
      <p className="caption" role="status">
        {status === 'ready' && found.length === 0
          ? text(wanted === '' ? 'noChats' : 'nothingFound')
          : ''}
      </p>
      {status === 'ready' && after !== null && !isSearching && (
        <button type="button" className="prompt" onClick={() => void load(after)}>
          {text('more')}
        </button>
      )}
    </main>
  )
}

const DAY = 24 * 60 * 60 * 1000

/** Threads, newest first, under today, yesterday and the months before. */
function groupsOf(threads: readonly ThreadMetadata[], locale: string): [string, ThreadMetadata[]][] {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const months = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric' })
  const today = new Date().setHours(0, 0, 0, 0)
  const groups = new Map<string, ThreadMetadata[]>()
  for (const thread of threads) {
    const date = new Date(String(thread.created_at))
    const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - today) / DAY)
    const name = days >= -1 ? relative.format(Math.min(0, days), 'day') : months.format(date)
    groups.set(name, [...(groups.get(name) ?? []), thread])
  }
  return [...groups]
}
