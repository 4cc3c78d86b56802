/** Looks for the end of a formula before it is read: what starts one without an end is text. */

import { lineStart } from './block'
import { hasWords, isFormula } from './isFormula'

/** The most characters in a formula on lines of its own; a line counts as some more. */
const LARGEST = 6_000
const LINE = 20

/** The end of a line and the containers of the next one, up to its end if it is blank. */
const NEXT_LINE = /(?:\r\n?|\n)([ \t>]*)([\r\n]|$)?/y
const REST = /[ \t]*(?:[\r\n]|$)/y

/** The first line of a formula that may have blank lines. */
const ALONE = /[ \t]*(?:\\begin\{[^{}\r\n]*\}[^\r\n]*)?(?:[\r\n]|$)/y

/**
 * Return whether lines may be a formula: whether its end follows or, while the text continues, may
 * still follow. A formula with blank lines has no words.
 */
export function mayEnd(
  source: string,
  offset: number,
  [open, close]: readonly [open: string, close: string],
  isOpen: boolean,
): boolean {
  const from = offset + open.length
  let line = 0
  let at = from
  let isAfterBlank = false
  let hasBlanks = false
  let hasDollar = false
  const tex = (): string => source.slice(from, at).replaceAll(/(?<=[\r\n])[ \t>]+/g, '')
  const isPlausible = (end = ''): boolean => !hasBlanks || (!hasDollar && !hasWords(tex() + end))
  for (; at < source.length; at++) {
    const char = source[at] as string
    if (char === '\n' || char === '\r') {
      NEXT_LINE.lastIndex = at
      const [whole = '', prefix = '', blank] = NEXT_LINE.exec(source) ?? []
      if (blank === '') return isOpen && isPlausible('\n')
      if (blank !== undefined && !matches(ALONE, source, from)) return false
      if (at - offset + LINE * line > LARGEST) return false
      // Words on the first line are not a formula.
      if (line === 0 && tex().trim() !== '' && !isFormula(tex(), open)) return false
      if (isAfterBlank && blank === undefined && !isInside(prefix, source, offset)) return false
      isAfterBlank = blank !== undefined
      hasBlanks ||= isAfterBlank
      line++
      at += whole.length - 1 - (blank?.length ?? 0)
    } else if (source.startsWith(close, at)) {
      const isClosed = matches(REST, source, at + close.length)
      return isClosed && isFormula(tex(), open) && isPlausible('\n')
    } else if (char === '\\') {
      if (source.startsWith(open, at)) return false
      if (!/[\r\n]/.test(source[at + 1] ?? '')) at++
    } else if (char === '$' && at < source.length - 1) hasDollar = true
  }
  return isOpen && isPlausible()
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at
  return pattern.test(text)
}

/** Return whether the start of a line is in the same quotes and items as the formula at a place. */
function isInside(prefix: string, source: string, offset: number): boolean {
  const opener = source.slice(lineStart(source, offset), offset)
  const quotes = opener.split('>').length - 1
  const isNote = /^[ \t>]*\[\^/.test(opener)
  const indent = isNote ? 4 : widthOf(afterQuotes(opener, quotes))
  return prefix.split('>').length > quotes && widthOf(afterQuotes(prefix, quotes)) >= indent
}

function afterQuotes(prefix: string, quotes: number): string {
  return prefix.split('>').slice(quotes).join('>')
}

function widthOf(prefix: string): number {
  return prefix.replaceAll('\t', '    ').length
}
