/** How much of a widget is drawn at once. */

import type { Widget } from '../protocol/types'
import { childrenOf } from './values'

/** So many components are drawn well within what nobody notices. */
const MOST = 50

/** Controls are made of more than others. */
const CONTROLS = new Set([
  'Button',
  'Checkbox',
  'DatePicker',
  'Input',
  'RadioGroup',
  'Select',
  'Textarea',
])

const weights = new WeakMap<Widget, number>()

/** Return how many components there are in one, itself included, as far as that matters. */
function weightOf(widget: Widget): number {
  const known = weights.get(widget)
  if (known !== undefined) return known
  const rest = [widget]
  let weight = 0
  for (let next = rest.pop(); next !== undefined && weight <= MOST; next = rest.pop()) {
    weight += CONTROLS.has(next.type) ? 4 : 1
    for (const child of childrenOf(next)) {
      if (rest.push(child) > MOST) break
    }
  }
  weights.set(widget, weight)
  return weight
}

/** Return how many of a list are drawn, when so many are already: at least one more. */
export function fitting(list: readonly Widget[], drawn: number): number {
  let weight = 0
  let count = drawn
  while (count < list.length) {
    const child = list[count]
    weight += child === undefined ? 0 : weightOf(child)
    if (weight > MOST && count > drawn) break
    count += 1
  }
  return count
}
