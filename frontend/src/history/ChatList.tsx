import { useCallback, useEffect, useRef } from 'react'

import { useChat, useText } from '../ui/context'
import { ChatRows } from './ChatRows'
import { ListStatus } from './ListStatus'
import { moveByArrowKey } from './moveByArrowKey'
import { MoreButton } from './MoreButton'
import { useStore } from '../ui/useStore'
import { useRowActions } from './useRowActions'
import { useThreads } from './useThreads'

interface ChatListProps {
  /** Whether the search takes the focus when the list appears. */
  autoFocus?: boolean
  onEscape: () => void
}

/** The user's threads on the current server: search, open, rename, delete. */
export function ChatList(props: ChatListProps) {
  const server = useStore(useChat().list.state, (state) => state.server)
  return <Chats key={server} {...props} />
}

function Chats({ autoFocus = false, onEscape }: ChatListProps) {
  const text = useText()
  const search = useRef<HTMLInputElement>(null)
  const { list } = useChat()
  const query = useStore(list.state, (state) => state.query)
  const threads = useThreads(query.trim())
  const focusSearch = useCallback(() => search.current?.focus(), [])
  const { rename, remove, failure } = useRowActions(threads.edit, focusSearch)
  useEffect(() => {
    // On a touch screen, the keyboard would cover the list.
    if (!autoFocus || matchMedia('(pointer: coarse)').matches) return
    focusSearch()
    search.current?.select()
  }, [autoFocus, focusSearch])
  return (
    <div
      className="history"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onEscape()
        else if (!event.defaultPrevented) moveByArrowKey(event)
      }}
    >
      <input
        ref={search}
        className="field"
        type="search"
        value={query}
        placeholder={text('searchChats')}
        aria-label={text('searchChats')}
        onChange={(event) => list.state.set({ query: event.target.value })}
      />
      {failure !== null && (
        <p className="note danger" role="alert">
          <span>{failure}</span>
        </p>
      )}
      <ChatRows {...threads} onRename={rename} onDelete={remove} />
      <ListStatus {...threads} isSearch={query.trim() !== ''} />
      {threads.moreFound !== null && (
        <button type="button" className="prompt" onClick={threads.moreFound}>
          {text('more')}
        </button>
      )}
      {threads.more !== null && <MoreButton onMore={threads.more} />}
    </div>
  )
}
