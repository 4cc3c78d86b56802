/** The limits on files that users attach. */

import type { Options } from '../element/options'
import type { Texts } from '../i18n/texts'

export type Limits = NonNullable<NonNullable<Options['composer']>['attachments']>

const DEFAULT_SIZE = 100 * 1024 * 1024
const DEFAULT_COUNT = 10

/** Return why a file is refused, given the number of files before it; `null` if it is accepted. */
export function refusalOf(
  file: File,
  count: number,
  limits: Limits | undefined,
  { say, locale }: Texts,
): string | null {
  const maxCount = limits?.maxCount ?? DEFAULT_COUNT
  if (count >= maxCount) return say('tooManyFiles', { count: maxCount })
  if (limits?.accept && !isAccepted(file, limits.accept)) return say('wrongKind')
  const maxSize = sizeLimit(file, limits?.maxSize)
  if (file.size > maxSize) return say('tooLarge', { size: sizeOf(maxSize, locale) })
  return file.size === 0 ? say('emptyFile') : null
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** Format a number of bytes for display. */
function sizeOf(bytes: number, locale: string): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const unit = UNITS[power] ?? 'byte'
  const style = { style: 'unit', unit, maximumFractionDigits: 1 } as const
  return new Intl.NumberFormat(locale, style).format(bytes / 1024 ** power)
}

function isAccepted(file: File, accept: Record<string, string[]>): boolean {
  const name = file.name.toLowerCase()
  return Object.entries(accept).some(([type, extensions]) => {
    const isNamed = extensions.some((each) => name.endsWith(each.toLowerCase()))
    // Browsers know no type for many text files: accept them by name, or let the server decide.
    if (file.type === '') return isNamed || (extensions.length === 0 && type.startsWith('text/'))
    return matches(file.type, type) && (extensions.length === 0 || isNamed)
  })
}

function matches(type: string, pattern: string): boolean {
  return (
    pattern === '*/*' ||
    pattern === type ||
    (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)))
  )
}

function sizeLimit(file: File, limit: Limits['maxSize']): number {
  if (limit === undefined) return DEFAULT_SIZE
  if (typeof limit === 'number') return limit
  const found = Object.entries(limit).find(([pattern]) => pattern && matches(file.type, pattern))
  return limit[file.type] ?? found?.[1] ?? limit['*'] ?? limit[''] ?? DEFAULT_SIZE
}
