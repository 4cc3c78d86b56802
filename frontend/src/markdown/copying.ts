/** Copies text as it was written, with the source of formulas. */

import type { ClipboardEvent } from 'react'

/** Copy the selection, with each formula replaced by its source. */
export function copyWithFormulas(event: ClipboardEvent): void {
  const selection = document.getSelection()
  if (selection === null || selection.rangeCount === 0) return
  const range = selection.getRangeAt(0)
  for (const end of [range.startContainer, range.endContainer]) {
    // A formula is copied as a whole.
    const formula = (end instanceof Element ? end : end.parentElement)?.closest('.formula')
    if (!formula) continue
    if (end === range.startContainer) range.setStartBefore(formula)
    if (end === range.endContainer) range.setEndAfter(formula)
  }
  const copied = document.createElement('div')
  copied.append(range.cloneContents())
  const formulas = copied.querySelectorAll<HTMLElement>('.formula')
  if (formulas.length === 0) return
  for (const formula of formulas) formula.replaceChildren(formula.dataset['source'] ?? '')
  for (const each of copied.querySelectorAll('.code-head, .to-note, .table-block > button'))
    each.remove()
  copied.className = 'markdown copied-text'
  document.body.append(copied)
  event.clipboardData.setData('text/plain', copied.innerText)
  event.clipboardData.setData('text/html', copied.innerHTML)
  copied.remove()
  event.preventDefault()
}
