/** Limits how much of a widget is rendered at once. */

import type { Widget } from '../protocol/types'
import { childrenOf } from './values'

/** The weight of the components that can be rendered without a noticeable delay. */
const MAX_WEIGHT = 50

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

/** Return the weight of a component with its descendants; counting stops beyond `MAX_WEIGHT`. */
function weightOf(widget: Widget): number {
  const known = weights.get(widget)
  if (known !== undefined) return known
  const rest = [widget]
  let weight = 0
  for (let next = rest.pop(); next !== undefined && weight <= MAX_WEIGHT; next = rest.pop()) {
    weight += CONTROLS.has(next.type) ? 4 : 1
    for (const child of childrenOf(next)) {
      if (rest.push(child) > MAX_WEIGHT) break
    }
  }
  weights.set(widget, weight)
  return weight
}

/** Return the number of components of a list to render: at least one more than before. */
export function fitting(list: readonly Widget[], drawn: number): number {
  let weight = 0
  let count = drawn
  while (count < list.length) {
    const child = list[count]
    weight += child === undefined ? 0 : weightOf(child)
    if (weight > MAX_WEIGHT && count > drawn) break
    count += 1
  }
  return count
}
