/** Looks for the end of a formula before it is read: what starts one without an end is text. */

import { isFormula } from './isFormula'

/** The most characters in a formula on lines of its own; a line counts as some more. */
const LARGEST = 6_000
const LINE = 20

/** The end of a line and the containers of the next one, up to its end if it is blank. */
const NEXT_LINE = /(?:\r\n?|\n)[ \t>]*([\r\n]|$)?/y
const REST = /[ \t]*(?:[\r\n]|$)/y

/**
 * Return whether lines may be a formula: whether its end follows before a blank line, or, while the text
 * continues, may still follow.
 */
export function mayEnd(
  source: string,
  offset: number,
  [open, close]: readonly [open: string, close: string],
  isOpen: boolean,
): boolean {
  const from = offset + open.length
  let line = 0
  for (let at = from; at < source.length; at++) {
    const tex = (): string => source.slice(from, at).replaceAll(/(?<=[\r\n])[ \t>]+/g, '')
    const char = source[at] as string
    if (char === '\n' || char === '\r') {
      NEXT_LINE.lastIndex = at
      const [whole = '', blank] = NEXT_LINE.exec(source) ?? []
      if (blank !== undefined) return isOpen && blank === ''
      if (at - offset + LINE * line > LARGEST) return false
      // Words on the first line are not a formula.
      if (line === 0 && tex().trim() !== '' && !isFormula(tex(), open)) return false
      line++
      at += whole.length - 1
    } else if (source.startsWith(close, at)) {
      REST.lastIndex = at + close.length
      return isFormula(tex(), open) && REST.test(source)
    } else if (char === '\\') {
      if (source.startsWith(open, at)) return false
      if (!/[\r\n]/.test(source[at + 1] ?? '')) at++
    }
  }
  return isOpen
}
