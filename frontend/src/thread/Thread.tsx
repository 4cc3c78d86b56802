import { useRef } from 'react'

import { Activity } from './Activity'
import { Announcer } from './Announcer'
import { useChat, useText } from '../ui/context'
import { DownIcon } from '../ui/icons'
import { IconButton } from '../ui/IconButton'
import { Items } from '../items/Items'
import { Said } from '../items/Said'
import { Markdown } from '../markdown/Markdown'
import { isPending } from '../protocol/thread'
import { Note } from '../ui/Note'
import { OlderItems } from './OlderItems'
import { QuoteButton } from './QuoteButton'
import { Waiting } from './Waiting'
import { useStore } from '../ui/useStore'
import { UNANSWERED } from '../chat/threads'
import { useScrolling } from './useScrolling'

/** The items of a thread, and what is going on in it. */
export function Thread() {
  const chat = useChat()
  const text = useText()
  const items = useStore(chat.state, (state) => state.thread.items)
  const open = useStore(chat.state, (state) => state.thread.open)
  const notices = useStore(chat.state, (state) => state.thread.notices)
  const isLoading = useStore(chat.state, (state) => state.isLoading)
  const loadError = useStore(chat.state, (state) => state.loadError)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  // Progress without an answer of one's own: one that is written elsewhere is waited for.
  const isAwaited = useStore(chat.state, (state) => state.thread.progress !== null)
  const isConnected = useStore(chat.state, (state) => state.isConnected)
  const title = useStore(chat.state, (state) => state.thread.thread?.title)
  const sending = useStore(chat.state, (state) => state.sending)
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const { isAway, goToEnd } = useScrolling(scroller, content)

  return (
    <main className="thread">
      <div ref={scroller} className="scroller" tabIndex={-1}>
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
          {(isResponding || isAwaited || !isConnected) && <Activity />}
          {notices.map((notice) => (
            <Note key={notice.id} level={notice.level}>
              {notice.title && <strong>{notice.title}</strong>}
              <Markdown text={notice.message} />
            </Note>
          ))}
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

/** What went wrong in the last turn, and a way on. */
function Failure() {
  const chat = useChat()
  const text = useText()
  const error = useStore(chat.state, (state) => state.thread.error)
  const items = useStore(chat.state, (state) => state.thread.items)
  if (error === null) return null
  const last = items.at(-1)
  // What is asked can still be answered; to try the turn again would take the question away.
  const isAsked = last?.type === 'structured_input' && isPending(last)
  const question = items.findLast((item) => item.type === 'user_message')
  return (
    <Note
      level={error.code === UNANSWERED ? 'info' : 'danger'}
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
