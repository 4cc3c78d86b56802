/** The properties that boxes share, as a style. Invalid values are left out. */

import type { CSSProperties } from 'react'

import type { Widget } from '../protocol/types'
import { BORDER, colorOf, SURFACE } from './widgetColors'
import { isObject } from '../chat/isObject'
import { numberOf, oneOf } from './values'

/** A unit of spacing, in pixels. */
const UNIT = 4
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)$/
const LENGTH = /^(-?(?:\d+\.?\d*|\.\d+))(px|em|rem|%|vh|vw|vmin|vmax|dvh|dvw|svh|svw|ch|lh)$/
const WORD = /^(auto|min-content|max-content|fit-content|none)$/
const SUM = /^(calc|min|max|clamp)\((?:[\d\s.,+*/()%-]|px|rem|em|vh|vw|ch){1,80}\)$/
const RATIO = /^\d+(\.\d+)?(\s*\/\s*\d+(\.\d+)?)?$/
const FLEX = /^(\d+(\.\d+)?|auto|none|initial)(\s+(\d+(\.\d+)?|auto|\d+(px|%|em|rem))){0,2}$/
/** The largest number in a length of any unit; browsers lay out larger ones badly. */
const LARGEST = 10_000

/** Return a length in CSS; numbers are multiples of `unit`, in pixels. */
export function lengthOf(value: unknown, unit = 1, least = 0): string | undefined {
  const number = numberOf(value)
  if (number !== null) return `${limited(number * unit, least)}px`
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (NUMBER.test(text)) return lengthOf(Number(text), unit, least)
  const [, amount, name] = LENGTH.exec(text) ?? []
  if (name !== undefined) return `${limited(Number(amount), least)}${name}`
  return WORD.test(text) || SUM.test(text) ? text : undefined
}

function limited(number: number, least: number): number {
  return Math.max(least, Math.min(LARGEST, number))
}

/** Return a length in CSS, or one for each side; numbers are units of spacing. */
export function spacingOf(value: unknown, least = 0): string | undefined {
  if (typeof value === 'string' && /\s/.test(value.trim()) && !value.includes('(')) {
    const parts = value
      .trim()
      .split(/\s+/)
      .map((part) => lengthOf(part, UNIT, least))
    return parts.length <= 4 && !parts.includes(undefined) ? parts.join(' ') : undefined
  }
  return lengthOf(value, UNIT, least)
}

interface Sides<T> {
  top: T | undefined
  right: T | undefined
  bottom: T | undefined
  left: T | undefined
}

/** Return a value for each side; `x` and `y` stand for two sides each. */
function sidesOf<T>(
  value: Record<string, unknown>,
  read: (side: unknown) => T | undefined,
): Sides<T> {
  const x = read(value['x'])
  const y = read(value['y'])
  return {
    top: read(value['top']) ?? y,
    right: read(value['right']) ?? x,
    bottom: read(value['bottom']) ?? y,
    left: read(value['left']) ?? x,
  }
}

/** The largest negative margin, in pixels. */
const MARGIN = 64

export function paddingOf(value: unknown): CSSProperties {
  return spread('padding', value, 0)
}

function marginOf(value: unknown): CSSProperties {
  return spread('margin', value, -MARGIN)
}

function spread(name: 'padding' | 'margin', value: unknown, least: number): CSSProperties {
  if (!isObject(value)) return { [name]: spacingOf(value, least) }
  const { top, right, bottom, left } = sidesOf(value, (side) => spacingOf(side, least))
  return {
    [`${name}Top`]: top,
    [`${name}InlineEnd`]: right,
    [`${name}Bottom`]: bottom,
    [`${name}InlineStart`]: left,
  }
}

const LINES = ['solid', 'dashed', 'dotted', 'double', 'groove', 'ridge', 'inset', 'outset'] as const

/** Return one border as CSS; a number is its thickness in pixels. */
function lineOf(value: unknown): string | undefined {
  const size = numberOf(isObject(value) ? value['size'] : value)
  if (size === null || size < 0) return undefined
  const style = isObject(value) ? oneOf(value['style'], LINES, 'solid') : 'solid'
  const color = (isObject(value) && colorOf(value['color'], BORDER)) || BORDER['default']
  return `${Math.min(size, 100)}px ${style} ${color}`
}

export function borderOf(value: unknown): CSSProperties {
  if (!isObject(value) || 'size' in value) return { border: lineOf(value) }
  const { top, right, bottom, left } = sidesOf(value, lineOf)
  return { borderTop: top, borderInlineEnd: right, borderBottom: bottom, borderInlineStart: left }
}

const RADII: Readonly<Record<string, string>> = {
  none: '0',
  '2xs': '2px',
  xs: '4px',
  sm: '6px',
  md: '8px',
  lg: '10px',
  xl: '12px',
  '2xl': '16px',
  '3xl': '20px',
  '4xl': '24px',
  full: '9999px',
  '100%': '100%',
}

function radiusOf(value: unknown): string | undefined {
  return typeof value === 'string' && Object.hasOwn(RADII, value) ? RADII[value] : undefined
}

function ratioOf(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && RATIO.test(text.trim()) ? text.trim() : undefined
}

function flexOf(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && FLEX.test(text.trim()) ? text.trim() : undefined
}

const ALIGN = {
  start: 'flex-start',
  center: 'center',
  end: 'flex-end',
  baseline: 'baseline',
  stretch: 'stretch',
} as const

const JUSTIFY = {
  start: 'flex-start',
  center: 'center',
  end: 'flex-end',
  between: 'space-between',
  around: 'space-around',
  evenly: 'space-evenly',
  stretch: 'stretch',
} as const

export function alignOf(value: unknown): string | undefined {
  const known = oneOf(value, Object.keys(ALIGN) as (keyof typeof ALIGN)[], null)
  return known === null ? undefined : ALIGN[known]
}

function justifyOf(value: unknown): string | undefined {
  const known = oneOf(value, Object.keys(JUSTIFY) as (keyof typeof JUSTIFY)[], null)
  return known === null ? undefined : JUSTIFY[known]
}

/** Return the size of a component, and its place among its siblings. */
export function blockStyle(widget: Widget): CSSProperties {
  const size = lengthOf(widget['size'])
  const minSize = lengthOf(widget['minSize'])
  const maxSize = lengthOf(widget['maxSize'])
  return defined({
    width: lengthOf(widget['width']) ?? size,
    height: lengthOf(widget['height']) ?? size,
    minWidth: lengthOf(widget['minWidth']) ?? minSize,
    minHeight: lengthOf(widget['minHeight']) ?? minSize,
    maxWidth: lengthOf(widget['maxWidth']) ?? maxSize,
    maxHeight: lengthOf(widget['maxHeight']) ?? maxSize,
    aspectRatio: ratioOf(widget['aspectRatio']),
    flex: flexOf(widget['flex']),
    borderRadius: radiusOf(widget['radius']),
    backgroundColor: colorOf(widget['background'], SURFACE),
    ...marginOf(widget['margin']),
  })
}

/** Return the style of a box, and the layout of its children. */
export function boxStyle(widget: Widget, direction: 'row' | 'col'): CSSProperties {
  return defined({
    ...blockStyle(widget),
    display: 'flex',
    flexDirection: direction === 'row' ? 'row' : 'column',
    gap: spacingOf(widget['gap']),
    alignItems: alignOf(widget['align']),
    justifyContent: justifyOf(widget['justify']),
    flexWrap: oneOf(widget['wrap'], ['nowrap', 'wrap', 'wrap-reverse'] as const, undefined),
    ...paddingOf(widget['padding']),
    ...borderOf(widget['border']),
  })
}

/** Leave out properties without a value, so that they do not override the style sheet. */
export function defined(style: CSSProperties): CSSProperties {
  return Object.fromEntries(Object.entries(style).filter(([, value]) => value !== undefined))
}
