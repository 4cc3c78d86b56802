import { useEffect, useLayoutEffect, useRef, useState } from 'react'

import { Activity } from './Activity'
import { Announcer } from '../ui/Announcer'
import { useChat, useText } from '../ui/context'
import { DownIcon } from '../ui/icons'
import { IconButton } from '../ui/IconButton'
import { Items } from '../items/Items'
import { Said } from '../items/Said'
import { Markdown } from '../markdown/Markdown'
import { Note } from '../ui/Note'
import { OlderItems } from './OlderItems'
import { QuoteButton } from './QuoteButton'
import { useStore } from '../chat/store'

/** How near to the end somebody is who follows what is written. */
const NEAR = 80

/** For how many milliseconds after a wheel, a finger or a key a scroll is the person's. */
const BY_HAND = 300

const SCROLLS_UP = new Set(['ArrowUp', 'PageUp', 'Home', ' ', 'Tab'])

/** The items of a thread, and what is going on in it. */
export function Thread() {
  const chat = useChat()
  const text = useText()
  const items = useStore(chat.state, (state) => state.thread.items)
  const open = useStore(chat.state, (state) => state.thread.open)
  const notices = useStore(chat.state, (state) => state.thread.notices)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const isLoading = useStore(chat.state, (state) => state.isLoading)
  const loadError = useStore(chat.state, (state) => state.loadError)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  // Progress without an answer of one's own: one that is written elsewhere is waited for.
  const isAwaited = useStore(chat.state, (state) => state.thread.progress !== null)
  const title = useStore(chat.state, (state) => state.thread.thread?.title)
  const sending = useStore(chat.state, (state) => state.sending)
  const autoScroll = useStore(chat.state, (state) => state.options?.thread?.autoScroll ?? false)
  const scroller = useRef<HTMLElement>(null)
  const content = useRef<HTMLDivElement>(null)
  /** Whether somebody follows what is written; they stop to when they scroll up. */
  const isNear = useRef(true)
  const lastTop = useRef(0)
  const touchedAt = useRef(-Infinity)
  const [isAway, setAway] = useState(false)

  const toEnd = (): void =>
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior: 'instant' })

  // A thread is opened at its end, and one's own message is always seen.
  useLayoutEffect(() => {
    isNear.current = true
    touchedAt.current = -Infinity
    toEnd()
  }, [threadId, isLoading, sending !== null])

  useEffect(() => {
    if (content.current === null) return undefined
    const observer = new ResizeObserver(() => {
      if (autoScroll && isNear.current) toEnd()
      look()
    })
    observer.observe(content.current)
    return () => observer.disconnect()
  }, [autoScroll])

  const touch = (): void => {
    touchedAt.current = performance.now()
  }
  const look = (): number => {
    const element = scroller.current
    if (element === null) return 0
    const rest = element.scrollHeight - element.scrollTop - element.clientHeight
    setAway(rest > element.clientHeight / 2)
    return rest
  }
  const onScroll = (): void => {
    const element = scroller.current
    if (element === null) return
    const rest = look()
    // What is laid out late moves the thread, too.
    const isByHand = performance.now() - touchedAt.current < BY_HAND
    if (rest < NEAR) isNear.current = true
    else if (isByHand && element.scrollTop < lastTop.current) isNear.current = false
    lastTop.current = element.scrollTop
  }
  const goToEnd = (): void => {
    toEnd()
    // What was far away and is now seen takes its real height.
    requestAnimationFrame(toEnd)
    scroller.current?.focus({ preventScroll: true })
  }

  return (
    <main
      ref={scroller}
      className="scroller"
      tabIndex={-1}
      onScroll={onScroll}
      onWheel={touch}
      onTouchMove={touch}
      // On the scrollbar, or with what is being selected; a click on a button scrolls nothing.
      onPointerDown={(event) => event.target === event.currentTarget && touch()}
      onPointerMove={(event) => event.buttons > 0 && touch()}
      onKeyDown={(event) => SCROLLS_UP.has(event.key) && touch()}
    >
      <h1 className="visually-hidden">{title ?? text('chat')}</h1>
      <div ref={content} className="column items">
        <OlderItems scroller={scroller} />
        {isLoading && <p className="waiting">{text('loading')}</p>}
        {loadError !== null && (
          <Note
            level="danger"
            action={
              <button type="button" className="prompt" onClick={() => void chat.fetchUpdates()}>
                {text('tryAgain')}
              </button>
            }
          >
            {loadError}
          </Note>
        )}
        <Items
          items={items}
          open={isResponding && sending === null ? open : null}
          scroller={scroller}
        />
        {sending !== null && (
          <div className="item user">
            {sending.content.length > 0 && <Said content={sending.content} />}
            {sending.attachments.map((attachment) => (
              <div key={attachment.id} className="file">
                <span>{attachment.name}</span>
              </div>
            ))}
          </div>
        )}
        {(isResponding || isAwaited) && <Activity />}
        {notices.map((notice) => (
          <Note key={notice.id} level={notice.level}>
            {notice.title && <strong>{notice.title}</strong>}
            <Markdown text={notice.message} />
          </Note>
        ))}
        <Failure />
      </div>
      {isAway && (
        <div className="to-end">
          <IconButton label={text('toEnd')} onClick={goToEnd}>
            <DownIcon />
          </IconButton>
        </div>
      )}
      <QuoteButton />
      <Announcer />
    </main>
  )
}

/** What went wrong in the last turn, and a way on. */
function Failure() {
  const chat = useChat()
  const text = useText()
  const error = useStore(chat.state, (state) => state.thread.error)
  const items = useStore(chat.state, (state) => state.thread.items)
  if (error === null) return null
  const last = items.at(-1)
  // What is asked can still be answered; to try the turn again would take the question away.
  const isAsked = last?.type === 'structured_input' && (last.status ?? 'pending') === 'pending'
  const question = items.findLast((item) => item.type === 'user_message')
  return (
    <Note
      level="danger"
      action={
        error.allowRetry &&
        !isAsked &&
        question !== undefined && (
          <button type="button" className="prompt" onClick={() => void chat.retry(question)}>
            {text('tryAgain')}
          </button>
        )
      }
    >
      {error.message ?? text('failed')}
    </Note>
  )
}
