/** Days as numbers since 1 January 1970, without hours and time zones. */

const DAY = 24 * 3600 * 1000
const YEARS = [1, 9999] as const

/** The first and the last day that can be chosen. */
export const FIRST = dayOf(YEARS[0], 0, 1)
export const LAST = dayOf(YEARS[1], 11, 31)

/** Return a day; months start at 0, and months and days beyond the last carry over. */
export function dayOf(year: number, month: number, date: number): number {
  const day = new Date(0)
  day.setUTCFullYear(year, month, date)
  return Math.round(day.getTime() / DAY)
}

export function partsOf(day: number): {
  year: number
  month: number
  date: number
  weekday: number
} {
  const date = new Date(day * DAY)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    date: date.getUTCDate(),
    weekday: date.getUTCDay(),
  }
}

export function today(): number {
  return localDay(new Date())
}

/** Return the local day at a time in ISO 8601, or `null` if the text is not one. */
export function parseDay(text: unknown): number | null {
  if (typeof text !== 'string') return null
  const written = /^(\d{4})-(\d\d)-(\d\d)(?:T00:00(?::00(?:\.0+)?)?(?:Z|\+00:?00))?$/.exec(text)
  // Without a time, or at midnight UTC, use the date as written.
  if (written !== null) {
    const [year = 0, month = 0, date = 0] = written.slice(1).map(Number)
    const day = dayOf(year, month - 1, date)
    const parts = partsOf(day)
    return year >= YEARS[0] && parts.month === month - 1 && parts.date === date ? day : null
  }
  if (!/^\d{4}-\d\d-\d\dT/.test(text)) return null
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) return null
  const day = localDay(time)
  return day >= FIRST && day <= LAST ? day : null
}

/** Return the local time at which a day starts, in ISO 8601. */
export function isoOf(day: number): string {
  const { year, month, date } = partsOf(day)
  const start = new Date(2000, 0, 1)
  start.setFullYear(year, month, date)
  const offset = -start.getTimezoneOffset()
  const two = (number: number): string => String(Math.floor(Math.abs(number))).padStart(2, '0')
  return (
    `${String(year).padStart(4, '0')}-${two(month + 1)}-${two(date)}` +
    `T${two(start.getHours())}:${two(start.getMinutes())}:00.000` +
    `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`
  )
}

/** Format a day, or a part of it, in a locale. */
export function say(locale: string, day: number, options: Intl.DateTimeFormatOptions): string {
  const calendar = { calendar: 'gregory', timeZone: 'UTC' } as const
  return new Intl.DateTimeFormat(locale, { ...calendar, ...options }).format(day * DAY)
}

/** Return the weekday on which weeks start; 0 is Sunday. */
export function weekStart(locale: string): number {
  const { weekInfo, getWeekInfo } = new Intl.Locale(locale) as Intl.Locale & {
    weekInfo?: { firstDay: number }
    getWeekInfo?: () => { firstDay: number }
  }
  return ((weekInfo ?? getWeekInfo?.call(new Intl.Locale(locale)))?.firstDay ?? 1) % 7
}

/** Return the same day some months later, or that month's last day if it is shorter. */
export function addMonths(day: number, count: number): number {
  const { year, month, date } = partsOf(day)
  const last = partsOf(dayOf(year, month + count + 1, 0)).date
  return dayOf(year, month + count, Math.min(date, last))
}

/** Return the first and the last day of a day's month. */
export function monthOf(day: number): { first: number; last: number } {
  const { year, month } = partsOf(day)
  return { first: dayOf(year, month, 1), last: dayOf(year, month + 1, 0) }
}

/** Return the whole weeks of a day's month; `start` is the weekday on which they start. */
export function weeksOf(day: number, start: number): number[][] {
  const { first, last } = monthOf(day)
  const before = (partsOf(first).weekday - start + 7) % 7
  return Array.from({ length: Math.ceil((before + last - first + 1) / 7) }, (_, week) =>
    Array.from({ length: 7 }, (_, index) => first - before + week * 7 + index),
  )
}

function localDay(time: Date): number {
  return dayOf(time.getFullYear(), time.getMonth(), time.getDate())
}
