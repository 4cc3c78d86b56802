import type { KeyboardEvent } from 'react'

import { isOfInputMethod } from '../ui/isOfInputMethod'

/** Move the focus to the chat above or below with the arrow keys, also from the search field. */
export function moveByArrowKey(event: KeyboardEvent<HTMLElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (by === undefined || isOfInputMethod(event.nativeEvent)) return
  const stops = event.currentTarget.querySelectorAll<HTMLElement>('[type=search], .history-title')
  const row = (event.target as HTMLElement).closest('li')
  const here = [...stops].findIndex((each) => each === event.target || row?.contains(each))
  const next = stops[here + by]
  if (here < 0 || next === undefined) return
  event.preventDefault()
  next.focus()
}
