/** Footnotes of a text. */

import type { MouseEvent } from 'react'

import { walk, type Node } from './grammar/node'
import type { References } from './grammar/references'

const used = new WeakMap<Node, readonly string[]>()

/** Return the labels of the notes to which a block refers, in order. */
function notesOf(block: Node): readonly string[] {
  const known = used.get(block)
  if (known !== undefined) return known
  const labels: string[] = []
  walk(block, ({ type, identifier }) => {
    if (type === 'footnoteReference' && identifier !== undefined) labels.push(identifier)
  })
  used.set(block, labels)
  return labels
}

/** Number the notes of a text in the order of their references, including those in notes. */
export function numbered(
  blocks: readonly Node[],
  references: References,
): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  if (references.notes().length === 0) return numbers
  const add = (block: Node): void => {
    for (const label of notesOf(block)) {
      const note = references.get(`^${label}`)
      if (note === undefined || numbers.has(label)) continue
      numbers.set(label, numbers.size + 1)
    }
  }
  blocks.forEach(add)
  // Iterating over a map includes the entries that are added meanwhile.
  for (const label of numbers.keys()) references.get(`^${label}`)?.children?.forEach(add)
  // Notes without a reference are shown, too.
  for (const label of references.notes()) {
    const name = label.slice(1)
    if (!numbers.has(name)) numbers.set(name, numbers.size + 1)
  }
  return numbers
}

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
