import type { Row } from './data'

/**
 * Return at most as many rows as fit, in order.
 *
 * Of the rows that share a place, keep those with the least or largest value of a series, so that
 * no peak is lost.
 */
export function sample(rows: readonly Row[], most: number): readonly Row[] {
  const width = rows[0]?.values.length ?? 0
  if (rows.length <= most || width === 0) return rows
  const places = Math.max(1, Math.floor((most - 2) / (2 * width)))
  const kept = new Set([0, rows.length - 1])
  for (let place = 0; place < places; place++) {
    const from = Math.floor((place * rows.length) / places)
    const to = Math.floor(((place + 1) * rows.length) / places)
    for (let series = 0; series < width; series++) {
      let least = from
      let largest = from
      for (let index = from; index < to; index++) {
        const value = rows[index]?.values[series]
        if (value === null || value === undefined) continue
        if (value < (rows[least]?.values[series] ?? Infinity)) least = index
        if (value > (rows[largest]?.values[series] ?? -Infinity)) largest = index
      }
      kept.add(least)
      kept.add(largest)
    }
  }
  return [...kept].sort((a, b) => a - b).flatMap((index) => rows[index] ?? [])
}
