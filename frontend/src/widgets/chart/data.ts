/** Parses the data of a chart that a model wrote. */

import type { Widget } from '../../protocol/types'
import { colorOf } from '../widgetColors'
import { isObject } from '../../chat/isObject'
import { isTrue, listOf, oneOf, textOf, type Fields } from '../values'

export interface Series {
  type: 'bar' | 'line' | 'area'
  label: string
  color: string
  stack: string | undefined
  curve: Curve
}

export interface Row {
  label: string
  /** The value of each series; `null` if there is none. */
  values: readonly (number | null)[]
}

export interface ChartData {
  series: readonly Series[]
  rows: readonly Row[]
  isXHidden: boolean
}

const CURVES = [
  'basis',
  'basisClosed',
  'basisOpen',
  'bumpX',
  'bumpY',
  'bump',
  'linear',
  'linearClosed',
  'natural',
  'monotoneX',
  'monotoneY',
  'monotone',
  'step',
  'stepBefore',
  'stepAfter',
] as const

export type Curve = (typeof CURVES)[number]

const HUES = ['blue', 'purple', 'orange', 'green', 'red', 'yellow', 'pink'] as const
const COLORS: Readonly<Record<string, string>> = Object.fromEntries(
  HUES.map((hue) => [hue, `light-dark(var(--${hue}-500), var(--${hue}-400))`]),
)

/** The most series that people can tell apart. */
const MOST_SERIES = 20
/** The largest value; sums of larger ones are not exact, and their axes make no sense. */
const LARGEST = 1e15

export function chartData(widget: Widget): ChartData {
  const axis = widget['xAxis']
  const { dataKey, hide, labels } = isObject(axis)
    ? (axis as Fields)
    : { dataKey: axis, hide: false, labels: null }
  const key = textOf(dataKey)
  const listed = listOf(widget['series']).filter(isObject).slice(0, MOST_SERIES)
  const keys = listed.map((each) => textOf(each['dataKey']))
  return {
    isXHidden: isTrue(hide),
    series: listed.map((each, index) => ({
      type: oneOf(each['type'], ['bar', 'line', 'area'] as const, 'line'),
      label: textOf(each['label']) || textOf(each['dataKey']),
      color: colorOf(each['color'], COLORS) ?? COLORS[HUES[index % HUES.length] ?? 'blue'] ?? '',
      stack: textOf(each['stack']) || undefined,
      curve: oneOf(each['curveType'], CURVES, 'monotone'),
    })),
    rows: listOf(widget['data'])
      .filter(isObject)
      .map((row) => ({
        label: labelOf(own(row, key), labels),
        values: keys.map((each) => numberOf(own(row, each))),
      })),
  }
}

function own(row: Fields, key: string): unknown {
  return Object.hasOwn(row, key) ? row[key] : undefined
}

function labelOf(value: unknown, labels: unknown): string {
  const text = textOf(value)
  return (isObject(labels) && textOf(own(labels, text))) || text
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Math.abs(number) <= LARGEST ? number : null
}
