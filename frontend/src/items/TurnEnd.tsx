import type { TurnEndItem } from '../protocol/live'
import type { UserMessageItem } from '../protocol/types'
import type { TextKey } from '../i18n/locales/en'
import { useChat, useText } from '../ui/context'
import { Note } from '../ui/Note'
import { useStore } from '../ui/useStore'

const TEXTS: Record<string, TextKey> = {
  stopped: 'answerStopped',
  failed: 'answerFailed',
  interrupted: 'answerInterrupted',
  timed_out: 'answerTimedOut',
  length: 'answerCut',
  content_filter: 'answerCut',
  refused: 'answerRefused',
}

/** The server's default messages about failed turns, which are translated here. */
const FAILED = new Set(['This answer failed.', 'Something went wrong. Try again.'])

/** Return whether an item says how a turn ended; other servers use this type for other purposes. */
export function isKnownEnd(item: TurnEndItem): boolean {
  return (item.state ?? '') in TEXTS
}

interface TurnEndProps {
  item: TurnEndItem
  question: UserMessageItem | null
}

/** Says how an incomplete answer ended; at the end of the thread, with a button to try again. */
export function TurnEnd({ item, question }: TurnEndProps) {
  const chat = useChat()
  const text = useText()
  const isLast = useStore(
    chat.state,
    ({ isResponding, thread }) => !isResponding && thread.items.at(-1)?.id === item.id,
  )
  const hasFailed = item.state === 'failed'
  const message =
    hasFailed && item.message && !FAILED.has(item.message)
      ? item.message
      : text(TEXTS[item.state ?? ''] ?? 'answerFailed')
  if (!isLast) return <p className="caption">{message}</p>
  return (
    <Note
      level={hasFailed ? 'danger' : 'info'}
      action={
        item.allow_retry &&
        question !== null && (
          <button type="button" className="prompt" onClick={() => void chat.retry(question)}>
            {text('tryAgain')}
          </button>
        )
      }
    >
      {message}
    </Note>
  )
}
