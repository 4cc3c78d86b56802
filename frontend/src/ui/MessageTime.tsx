import { timeFrom } from '../protocol/time'
import { useLocale } from './context'

const DAY = 24 * 60 * 60 * 1000

/** The time of a message, in the reader's time zone. */
export function MessageTime({ at }: { at: string | undefined }) {
  const locale = useLocale()
  const date = timeFrom(at ?? '')
  if (Number.isNaN(date.getTime())) return null
  const isRecent = Date.now() - date.getTime() < DAY
  const short = new Intl.DateTimeFormat(locale, {
    timeStyle: 'short',
    ...(!isRecent && { dateStyle: 'medium' }),
  })
  const whole = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' })
  return (
    <time className="message-time" dateTime={date.toISOString()} title={whole.format(date)}>
      {short.format(date)}
    </time>
  )
}
