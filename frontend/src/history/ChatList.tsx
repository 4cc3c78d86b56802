import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'

import type { ListedThread } from '../protocol/live'
import { useChat, useLocale, useText } from '../ui/context'
import { folded, groupsOf } from './historyList'
import { HistoryRow } from './HistoryRow'
import { useStore } from '../ui/useStore'
import { useSearch } from './useSearch'

const PAGE = 30

interface ChatListProps {
  /** Takes the focus when it is shown. */
  autoFocus?: boolean
  onEscape: () => void
}

/** The threads of a person: search, open, rename, delete. */
export function ChatList({ autoFocus = false, onEscape }: ChatListProps) {
  const chat = useChat()
  const text = useText()
  const locale = useLocale()
  const [threads, setThreads] = useState<ListedThread[]>([])
  const [after, setAfter] = useState<string | null>(null)
  const [status, setStatus] = useState<'loading' | 'failed' | 'ready'>('loading')
  const [refusal, setRefusal] = useState<string | null>(null)
  const [query, setQuery] = useState('')
  const [canSearch, setCanSearch] = useState(false)
  const searched = useSearch(query.trim(), canSearch)
  const search = useRef<HTMLInputElement>(null)
  const more = useRef<HTMLButtonElement>(null)

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
        setCanSearch(page?.can_search === true)
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
    // On a touch screen, a keyboard would cover what one has come to see.
    if (autoFocus && !matchMedia('(pointer: coarse)').matches) search.current?.focus()
  }, [load])

  // The thread that is open may be new, and get a title.
  const current = useStore(chat.state, (state) => state.thread.thread)
  useEffect(() => {
    if (current !== null && status === 'ready') setThreads((known) => withThread(known, current))
  }, [current, status])

  // Other threads change as they are answered, in other tabs and on other devices.
  const changed = useStore(chat.list.state, (state) => state.changed)
  useEffect(() => {
    if (status === 'ready') setThreads((known) => withChanges(known, changed))
  }, [changed, status])

  const untitled = text('untitled')
  const wanted = folded(query.trim())
  const groups = useMemo(() => {
    const found = threads.filter(({ title }) => folded(title || untitled).includes(wanted))
    return groupsOf(found, locale)
  }, [threads, wanted, untitled, locale])
  // A list of its own from the first letter on, so that what is found later leaves the rows as they are.
  const rows = useMemo(() => {
    if (!canSearch || wanted === '') return null
    const known = new Map(threads.map((thread) => [thread.id, thread]))
    const titles = groups.flatMap(([, group]) => group.map((thread) => ({ thread, snippet: [] })))
    // What is found may have been asked for before a chat was renamed here.
    return (searched.found ?? titles).map(({ thread, snippet }) => ({
      thread: known.get(thread.id) ?? thread,
      snippet,
    }))
  }, [canSearch, wanted, threads, groups, searched.found])
  const found = rows?.length ?? groups.reduce((sum, [, group]) => sum + group.length, 0)
  // Where the server knows no search, what is looked for may be in a page that is not loaded.
  const isSearching = wanted !== '' && !canSearch && found < PAGE
  useEffect(() => {
    if (isSearching && status === 'ready' && after !== null) void load(after)
  }, [isSearching, status, after, load])

  // Who scrolls to the end sees more; the button is for everybody else.
  useEffect(() => {
    if (more.current === null) return undefined
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void load(after)
    })
    observer.observe(more.current)
    return () => observer.disconnect()
  })

  const rename = useCallback(
    async (thread: ListedThread, title: string): Promise<void> => {
      const put = (title: string | null | undefined): void =>
        setThreads((known) =>
          known.map((each) => (each.id === thread.id ? { ...each, title: title ?? null } : each)),
        )
      const change = (title: string | null | undefined): void => {
        put(title)
        searched.change((known) =>
          known.map((each) =>
            each.thread.id === thread.id
              ? { ...each, thread: { ...each.thread, title: title ?? null } }
              : each,
          ),
        )
      }
      change(title)
      setRefusal(null)
      try {
        await chat.renameThread(thread.id, title)
      } catch {
        change(thread.title)
        setRefusal(text('notRenamed'))
      }
    },
    [chat, text],
  )
  const remove = useCallback(
    async (thread: ListedThread): Promise<void> => {
      setRefusal(null)
      try {
        await chat.deleteThread(thread.id)
        setThreads((known) => known.filter((each) => each.id !== thread.id))
        searched.change((known) => known.filter((each) => each.thread.id !== thread.id))
        search.current?.focus()
      } catch {
        setRefusal(text('notDeleted'))
      }
    },
    [chat, text],
  )

  return (
    <div
      className="history"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onEscape()
        else if (!event.defaultPrevented) step(event)
      }}
    >
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
      {rows === null
        ? groups.map(([day, group]) => (
            <section key={day} aria-label={day}>
              <h2 className="history-day">{day}</h2>
              <ul>
                {group.map((thread) => (
                  <HistoryRow key={thread.id} thread={thread} onRename={rename} onDelete={remove} />
                ))}
              </ul>
            </section>
          ))
        : found > 0 && (
            <ul>
              {rows.map(({ thread, snippet }) => (
                <HistoryRow
                  key={thread.id}
                  thread={thread}
                  snippet={snippet}
                  onRename={rename}
                  onDelete={remove}
                />
              ))}
            </ul>
          )}
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
        {status === 'ready' && found === 0 && !searched.isBusy
          ? text(wanted === '' ? 'noChats' : 'nothingFound')
          : ''}
      </p>
      {searched.more !== null && (
        <button type="button" className="prompt" onClick={searched.more}>
          {text('more')}
        </button>
      )}
      {status === 'ready' && after !== null && rows === null && !isSearching && (
        <button ref={more} type="button" className="prompt" onClick={() => void load(after)}>
          {text('more')}
        </button>
      )}
    </div>
  )
}

/** Return threads with one as it is now, in its place or, if it is newer than they are, first. */
function withChanges(
  known: ListedThread[],
  changed: ReadonlyMap<string, ListedThread | null>,
): ListedThread[] {
  const ids = new Set(known.map((thread) => thread.id))
  const kept = known.flatMap((thread) => {
    const now = changed.get(thread.id)
    return now === null ? [] : [now ?? thread]
  })
  const added = [...changed.values()].filter((thread) => thread !== null && !ids.has(thread.id))
  return added.reduce<ListedThread[]>(
    (all, thread) => (thread === null ? all : withThread(all, thread)),
    kept,
  )
}

function withThread(known: ListedThread[], thread: ListedThread): ListedThread[] {
  const age = ({ created_at }: ListedThread): number => new Date(String(created_at)).getTime()
  if (known.some((each) => each.id === thread.id)) {
    return known.map((each) =>
      each.id === thread.id ? { ...each, title: thread.title ?? null } : each,
    )
  }
  const [first] = known
  return first === undefined || age(thread) >= age(first) ? [thread, ...known] : known
}

/** Go to the chat above or below with the arrow keys, from the search as well. */
function step(event: KeyboardEvent<HTMLElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (by === undefined || event.nativeEvent.isComposing) return
  const stops = event.currentTarget.querySelectorAll<HTMLElement>('[type=search], .history-title')
  const row = (event.target as HTMLElement).closest('li')
  const here = [...stops].findIndex((each) => each === event.target || row?.contains(each))
  const next = stops[here + by]
  if (here < 0 || next === undefined) return
  event.preventDefault()
  next.focus()
}
