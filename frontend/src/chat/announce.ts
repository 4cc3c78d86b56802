/** Announcements for screen readers. */

import { Store } from './store'

export interface Announcement {
  id: number
  text: string
}

/** The number of announcements to keep: a screen reader may not have read the last ones yet. */
const KEPT = 5

export const announced = new Store<{ last: readonly Announcement[] }>({ last: [] })

export function announce(text: string): void {
  if (text === '') return
  const { last } = announced.get()
  const id = (last.at(-1)?.id ?? 0) + 1
  announced.set({ last: [...last, { id, text }].slice(-KEPT) })
}
