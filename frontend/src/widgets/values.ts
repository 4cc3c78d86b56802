/** Properties as models and servers write them: of any type, or missing. */

import type { Action } from '../chat/actions'
import { isObject } from '../chat/isObject'
import type { Widget } from '../protocol/types'

export type Fields = Record<string, unknown>

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export function isTrue(value: unknown): boolean {
  return value === true
}

/** Return a value if it is a known one, and the default otherwise. */
export function oneOf<T extends string, D>(
  value: unknown,
  known: readonly T[],
  otherwise: D,
): T | D {
  return known.includes(value as T) ? (value as T) : otherwise
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function isWidget(value: unknown): value is Widget {
  return isObject(value) && typeof value['type'] === 'string'
}

/** Return the children of a component, which may be written as one or as a list. */
export function childrenOf(widget: Widget): readonly Widget[] {
  const held = widget['children']
  return Array.isArray(held) ? held.filter(isWidget) : isWidget(held) ? [held] : []
}

/** Return the action in a property, or `null` if the property holds none. */
export function actionOf(value: unknown): Action | null {
  if (!isObject(value) || typeof value['type'] !== 'string') return null
  return {
    type: value['type'],
    ...('payload' in value && { payload: value['payload'] }),
    handler: oneOf(value['handler'], ['client', 'server'] as const, 'server'),
    loadingBehavior: oneOf(
      value['loadingBehavior'],
      ['none', 'self', 'container'] as const,
      'auto',
    ),
    streaming: value['streaming'] !== false,
  }
}

/** Return the name of a control's field; names of over 200 characters count as none. */
export function nameOf(widget: Fields): string {
  const name = textOf(widget['name'])
  return name.length <= 200 ? name : ''
}

/** Return the accessible name of a control without a label. */
export function titleOf(widget: Fields): string {
  const given = textOf(widget['ariaLabel']) || textOf(widget['placeholder'])
  const words = (nameOf(widget).split('.').at(-1) ?? '')
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim()
  return given || words || textOf(widget['type'])
}

export interface Option {
  value: string
  label: string
  description: string
  isDisabled: boolean
}

/** Return the options of a list, each value once. */
export function optionsOf(value: unknown): Option[] {
  const options = new Map<string, Option>()
  for (const each of listOf(value)) {
    if (!isObject(each) || (typeof each['value'] !== 'string' && numberOf(each['value']) === null))
      continue
    const own = textOf(each['value'])
    if (options.has(own)) continue
    options.set(own, {
      value: own,
      label: textOf(each['label']) || own,
      description: textOf(each['description']),
      isDisabled: isTrue(each['disabled']),
    })
  }
  return [...options.values()]
}

const SIZES = ['3xs', '2xs', 'xs', 'sm', 'md', 'lg', 'xl', '2xl', '3xl'] as const
const GUTTERS = ['2xs', 'xs', 'sm', 'md', 'lg', 'xl'] as const

export function sizeOf(widget: Fields): (typeof SIZES)[number] {
  return oneOf(widget['size'], SIZES, 'md')
}

/** Return the look of controls for text. */
export function writingLook(widget: Fields) {
  const gutterSize = oneOf(widget['gutterSize'], GUTTERS, undefined)
  return {
    variant: oneOf(widget['variant'], ['outline', 'soft'] as const, 'outline'),
    size: sizeOf(widget),
    ...(gutterSize && { gutterSize }),
  }
}
