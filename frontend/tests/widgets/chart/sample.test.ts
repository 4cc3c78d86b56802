import fc from 'fast-check'
import { expect, test } from 'vitest'

import { chartData, type Row } from '../../../src/widgets/chart/data'
import { sample } from '../../../src/widgets/chart/sample'

const rowsOf = (columns: (number | null)[][]): Row[] =>
  columns.map((values, index) => ({ label: String(index), values }))

test('at most as many rows are drawn as fit, in order, with every peak', () => {
  const value = fc.option(fc.integer({ min: -1000, max: 1000 }))
  const columns = fc.integer({ min: 1, max: 4 }).chain((count) =>
    fc.array(fc.array(value, { minLength: count, maxLength: count }), {
      minLength: 1,
      maxLength: 400,
    }),
  )
  fc.assert(
    fc.property(columns, fc.integer({ min: 12, max: 200 }), (values, most) => {
      const rows = rowsOf(values)
      const drawn = sample(rows, most)
      expect(drawn.length).toBeLessThanOrEqual(most)
      const places = drawn.map((row) => rows.indexOf(row))
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
      for (const series of values[0]?.keys() ?? []) {
        const numbers = (from: readonly Row[]) => from.flatMap((row) => row.values[series] ?? [])
        expect(Math.max(...numbers(drawn))).toBe(Math.max(...numbers(rows)))
        expect(Math.min(...numbers(drawn))).toBe(Math.min(...numbers(rows)))
      }
    }),
  )
})

test('invalid or absurd values are gaps', () => {
  const { rows, series } = chartData({
    type: 'Chart',
    xAxis: { dataKey: 'x', labels: { a: 'A' } },
    series: [{ type: 'bar', dataKey: 'y' }, { type: 'pie', dataKey: '__proto__' }, null, 'line'],
    data: [{ x: 'a', y: '1.5' }, { x: 2, y: 1e300 }, { x: {}, y: Number.NaN }, null, { y: 'many' }],
  })
  expect(series.map(({ type, label }) => [type, label])).toEqual([
    ['bar', 'y'],
    ['line', '__proto__'],
  ])
  expect(rows).toEqual([
    { label: 'A', values: [1.5, null] },
    { label: '2', values: [null, null] },
    { label: '', values: [null, null] },
    { label: '', values: [null, null] },
  ])
})

test.each([undefined, null, 7, 'text', [], {}])('%j is ignored as data', (value) => {
  const data = chartData({ type: 'Chart', data: value, series: value, xAxis: value })
  expect(data).toMatchObject({ rows: [], series: [] })
})
