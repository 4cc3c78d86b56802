/** Properties as models and servers write them: of any type, or missing. */

import type { Widget } from '../../protocol/types'

export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export function isTrue(value: unknown): boolean {
  return value === true
}

/** Return a value if it is one of those that are known, and otherwise the default. */
export function oneOf<T extends string, D>(value: unknown, known: readonly T[], otherwise: D): T | D {
  return known.includes(value as T) ? (value as T) : otherwise
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function isWidget(value: unknown): value is Widget {
  return isFields(value) && typeof value['type'] === 'string'
}

/** What a widget holds, which may be one component or a list of them. */
export function childrenOf(widget: Widget): readonly Widget[] {
  const held = widget['children']
  return Array.isArray(held) ? held.filter(isWidget) : isWidget(held) ? [held] : []
}
