import { useRef } from 'react'

import { Activity } from './Activity'
import { Announcer } from './Announcer'
import { useChat, useText } from '../ui/context'
import { DownIcon } from '../ui/icons'
import { IconButton } from '../ui/IconButton'
import { Items } from '../items/Items'
import { Markdown } from '../markdown/Markdown'
import { isPending } from '../protocol/thread'
import { Note } from '../ui/Note'
import { OlderItems } from './OlderItems'
import { OutgoingMessage } from './OutgoingMessage'
import { QuoteButton } from './QuoteButton'
import { Waiting } from './Waiting'
import { useStore } from '../ui/useStore'
import { UNANSWERED } from '../chat/threads'
import { useScrolling } from './useScrolling'

/** The items of a thread, and its current activity. */
export function Thread() {
  const chat = useChat()
  const text = useText()
  const items = useStore(chat.state, (state) => state.thread.items)
  const open = useStore(chat.state, (state) => state.thread.open)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  // Progress while this page is not responding means that another page requested an answer.
  const isAwaited = useStore(chat.state, (state) => state.thread.progress !== null)
  const isConnected = useStore(chat.state, (state) => state.isConnected)
  const title = useStore(chat.state, (state) => state.thread.thread?.title)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const sending = useStore(chat.state, (state) => state.sending)
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const { isAway, goToEnd } = useScrolling(scroller, content)

  return (
    <main className="thread">
      <div ref={scroller} className="scroller" tabIndex={-1}>
        <h1 className="visually-hidden">{title ?? text('chat')}</h1>
        <div ref={content} className="column items">
          <OlderItems key={threadId} scroller={scroller} />
          <Loading />
          <Items
            items={items}
            open={isResponding && sending === null ? open : null}
            scroller={scroller}
          />
          {sending !== null && (
            <div className="item user">
              <OutgoingMessage {...sending} />
            </div>
          )}
          {(isResponding || isAwaited || !isConnected) && <Activity />}
          <Notices />
          <Failure />
          <Waiting />
        </div>
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

/** Says that the thread is loading, or failed to load. */
function Loading() {
  const chat = useChat()
  const text = useText()
  const isLoading = useStore(chat.state, (state) => state.isLoading)
  const error = useStore(chat.state, (state) => state.loadError)
  return (
    <>
      {isLoading && <p className="waiting">{text('loading')}</p>}
      {error !== null && (
        <Note
          level="danger"
          action={
            <button type="button" className="prompt" onClick={() => void chat.fetchUpdates()}>
              {text('tryAgain')}
            </button>
          }
        >
          {error}
        </Note>
      )}
    </>
  )
}

/** The notices of the server. */
function Notices() {
  const notices = useStore(useChat().state, (state) => state.thread.notices)
  return notices.map(({ id, level, title, message }) => (
    <Note key={id} level={level}>
      {title && <strong>{title}</strong>}
      <Markdown text={message} />
    </Note>
  ))
}

/** The error of the last turn, with a button to try again where that can help. */
function Failure() {
  const chat = useChat()
  const text = useText()
  const error = useStore(chat.state, (state) => state.thread.error)
  const items = useStore(chat.state, (state) => state.thread.items)
  if (error === null) return null
  const last = items.at(-1)
  // The questions can still be answered; trying the turn again would remove them.
  const isAsked = last?.type === 'structured_input' && isPending(last)
  const question = items.findLast((item) => item.type === 'user_message')
  return (
    <Note
      level={error.code === UNANSWERED ? 'info' : 'danger'}
      action={
        error.allowRetry &&
        !isAsked &&
        question !== undefined && (
          <button type="button" className="prompt" onClick={() => void chat.tryAgain(question)}>
            {text('tryAgain')}
          </button>
        )
      }
    >
      {error.message ?? text('failed')}
    </Note>
  )
}
