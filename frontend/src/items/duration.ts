const UNITS = [
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** Format a duration in a locale's words, in at most two units. */
export function durationIn(locale: string, seconds: number): string {
  let rest = Math.round(seconds)
  const parts: string[] = []
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length)
    rest -= count * length
    if (count === 0 || parts.length === 2) continue
    const style = { style: 'unit', unit, unitDisplay: 'long' } as const
    parts.push(new Intl.NumberFormat(locale, style).format(count))
  }
  return new Intl.ListFormat(locale, { type: 'unit', style: 'short' }).format(parts)
}
