/** Groups, searches and updates a list of chats. */

import type { ListedThread } from '../protocol/live'
import { timeFrom } from '../protocol/time'
import type { ThreadMetadata } from '../protocol/types'

const DAY = 24 * 60 * 60 * 1000

/** Return a text in lower case, without accents and other marks, for searching. */
export function folded(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

/** Group threads, newest first, by today, yesterday and earlier months. */
export function groupsOf(
  threads: readonly ThreadMetadata[],
  locale: string,
  now = new Date(),
): [string, ThreadMetadata[]][] {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const months = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric' })
  const today = new Date(now).setHours(0, 0, 0, 0)
  const groups = new Map<string, ThreadMetadata[]>()
  for (const thread of threads) {
    const date = timeFrom(thread.created_at)
    const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - today) / DAY)
    const name = days >= -1 ? relative.format(Math.min(0, days), 'day') : months.format(date)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [thread])
    else group.push(thread)
  }
  return [...groups]
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Return when a chat started: a time on the first day, a date later. */
export function timeOf(thread: ThreadMetadata, locale: string): string {
  const date = timeFrom(thread.created_at)
  const isRecent = Date.now() - date.getTime() < DAY
  const key = `${locale} ${isRecent}`
  let format = formats.get(key)
  if (format === undefined) {
    format = new Intl.DateTimeFormat(
      locale,
      isRecent ? { timeStyle: 'short' } : { dateStyle: 'medium' },
    )
    formats.set(key, format)
  }
  return format.format(date)
}

/**
 * Apply changes to threads: `null` removes a thread, and a new thread comes first.
 *
 * A thread that is older than the listed ones is on a page that is not loaded yet.
 */
export function withChanges(
  known: readonly ListedThread[],
  changed: ReadonlyMap<string, ListedThread | null>,
): ListedThread[] {
  const ids = new Set(known.map((thread) => thread.id))
  const kept = known.flatMap((thread) => {
    const change = changed.get(thread.id)
    return change === null ? [] : [{ ...thread, ...change }]
  })
  const age = ({ created_at }: ListedThread): number => timeFrom(created_at).getTime()
  const added = [...changed.values()].filter(
    (thread): thread is ListedThread =>
      thread !== null && !ids.has(thread.id) && age(thread) >= age(kept[0] ?? thread),
  )
  return [...added.sort((one, other) => age(other) - age(one)), ...kept]
}
