import { memo, useEffect, useLayoutEffect, useRef, useState } from 'react'

import type { ThreadItem, UserMessageItem } from '../protocol/types'
import { textOf } from './composer/content'
import { useChat, useText } from './context'
import { Item } from './items/Item'
import { QuoteButton } from './QuoteButton'
import { useStore } from './store'

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
  const progress = useStore(chat.state, (state) => state.thread.progress)
  const notices = useStore(chat.state, (state) => state.thread.notices)
  const error = useStore(chat.state, (state) => state.thread.error)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const isLoading = useStore(chat.state, (state) => state.isLoading)
  const loadError = useStore(chat.state, (state) => state.loadError)
  const older = useStore(chat.state, (state) => state.older)
  const isLoadingOlder = useStore(chat.state, (state) => state.isLoadingOlder)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
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

  const toEnd = (behavior: ScrollBehavior): void =>
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior })

  // A thread is opened at its end, and one's own message is always seen.
  useLayoutEffect(() => {
    isNear.current = true
    touchedAt.current = -Infinity
    toEnd('instant')
  }, [threadId, isLoading, sending !== null])

  useEffect(() => {
    if (content.current === null) return undefined
    const observer = new ResizeObserver(() => {
      if (autoScroll && isNear.current) toEnd('instant')
    })
    observer.observe(content.current)
    return () => observer.disconnect()
  }, [autoScroll])

  const touch = (): void => {
    touchedAt.current = performance.now()
  }
  const onScroll = (): void => {
    const element = scroller.current
    if (element === null) return
    const rest = element.scrollHeight - element.scrollTop - element.clientHeight
    // What is laid out late moves the thread, too.
    const isByHand = performance.now() - touchedAt.current < BY_HAND
    if (rest < NEAR) isNear.current = true
    else if (isByHand && element.scrollTop < lastTop.current) isNear.current = false
    lastTop.current = element.scrollTop
    setAway(rest > element.clientHeight)
    if (element.scrollTop < 400 && older !== null && !isLoadingOlder) void keepPlace(element)
  }
  const keepPlace = async (element: HTMLElement): Promise<void> => {
    const before = element.scrollHeight - element.scrollTop
    await chat.loadOlder()
    requestAnimationFrame(() => {
      element.scrollTop = element.scrollHeight - before
    })
  }

  const last = items.at(-1)
  const hasBegun = last !== undefined && last.type !== 'user_message'
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
        {isLoadingOlder && <p className="waiting">{text('loading')}</p>}
        {isLoading && <p className="waiting">{text('loading')}</p>}
        {loadError !== null && (
          <p className="note danger" role="alert">
            <span>{loadError}</span>
            <button type="button" className="prompt" onClick={() => void chat.fetchUpdates()}>
              {text('tryAgain')}
            </button>
          </p>
        )}
        <Items items={items} isResponding={isResponding} />
        {sending !== null && (
          <div className="item user">
            {sending.content.length > 0 && <div className="bubble">{textOf(sending.content)}</div>}
            {sending.attachments.map((attachment) => (
              <div key={attachment.id} className="file">
                <span>{attachment.name}</span>
              </div>
            ))}
          </div>
        )}
        {progress !== null && <p className="waiting">{progress.text}</p>}
        {isResponding && progress === null && !hasBegun && <p className="waiting">{text('thinking')}</p>}
        {notices.map((notice) => (
          <p key={notice.id} className={`note ${notice.level}`} role="status">
            <span>
              {notice.title && <strong>{notice.title} </strong>}
              {notice.message}
            </span>
          </p>
        ))}
        {error !== null && (
          <p className="note danger" role="alert">
            <span>{error.message ?? text('failed')}</span>
            {error.allowRetry && <RetryButton items={items} />}
          </p>
        )}
      </div>
      {isAway && (
        <button type="button" className="to-end" onClick={() => toEnd('smooth')}>
          {text('toEnd')}
        </button>
      )}
      <QuoteButton />
      <Announcer items={items} isResponding={isResponding} />
    </main>
  )
}

const Items = memo(function Items({
  items,
  isResponding,
}: {
  items: readonly ThreadItem[]
  isResponding: boolean
}) {
  let question: UserMessageItem | null = null
  return items.map((item, index) => {
    if (item.type === 'user_message') question = item
    const isLast = index === items.length - 1
    return (
      <Item key={item.id} item={item} question={question} isOpen={isLast && isResponding} />
    )
  })
})

function RetryButton({ items }: { items: readonly ThreadItem[] }) {
  const chat = useChat()
  const text = useText()
  const question = items.findLast((item) => item.type === 'user_message')
  if (question === undefined) return null
  return (
    <button type="button" className="prompt" onClick={() => void chat.retry(question)}>
      {text('tryAgain')}
    </button>
  )
}

/** Says an answer to who cannot see it: once, when it is finished. */
function Announcer({
  items,
  isResponding,
}: {
  items: readonly ThreadItem[]
  isResponding: boolean
}) {
  const [said, setSaid] = useState('')
  const wasResponding = useRef(false)
  useEffect(() => {
    if (wasResponding.current && !isResponding) {
      const last = items.at(-1)
      const text =
        last?.type === 'assistant_message' ? last.content.map((part) => part.text).join('\n') : ''
      setSaid(text)
    }
    wasResponding.current = isResponding
  }, [items, isResponding])
  return (
    <div className="visually-hidden" role="log" aria-live="polite">
      {said}
    </div>
  )
}
