/** Limits how much of a widget is rendered at once. */

import type { Widget } from '../protocol/types'
import { childrenOf } from './values'

/** The number of components that can be rendered without a noticeable delay. */
const MOST = 50

/** Controls take longer to render than other components. */
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

/** Return the number of components in one, itself included; counting stops beyond `MOST`. */
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

/** Return how many components of a list to render: at least one more than are rendered. */
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
