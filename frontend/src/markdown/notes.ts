/** Footnotes of a text. */

import type { MouseEvent } from 'react'

/** Go to a note, or back, within the same text: other texts have notes with the same numbers. */
export function goToNote(event: MouseEvent<HTMLAnchorElement>): void {
  event.preventDefault()
  const id = event.currentTarget.hash.slice(1)
  const text = event.currentTarget.closest('.markdown')
  const target = text?.querySelector<HTMLElement>(`[id=${JSON.stringify(id)}]`)
  if (!target) return
  target.tabIndex = -1
  target.focus()
  target.scrollIntoView({ block: 'nearest' })
}
