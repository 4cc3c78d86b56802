/** The ways in which models write math, as the one that is read: between two dollars. */

import { partsOf } from './code'

const BRACKETS = /\\\[([\s\S]+?)\\\]/g
const PARENTHESES = /\\\(([^\n]+?)\\\)/g

/**
 * Between single dollars, as long as it cannot be prices: nothing else touches the dollars, and
 * what is between them has a sign of math, or is one letter.
 */
const DOLLARS =
  /(?<![\\$\w])\$(?![\s$])((?:[A-Za-z]|[^\n$]*[\\^_=+<>{}][^\n$]*|[A-Za-z]\([^\n$]*\))(?<![\s\\]))\$(?![$\d])/g

/** Return whether there may be math in a text. */
export function mayHaveMath(text: string): boolean {
  return /\$|\\\(|\\\[/.test(text)
}

/** Return a text whose math is all between two dollars; code is left alone. */
export function withMath(text: string): string {
  if (!mayHaveMath(text)) return text
  return partsOf(text)
    .map((part) => {
      if (part.isCode) return part.text
      return part.text
        .replace(BRACKETS, (_, math: string) => `\n$$\n${math.trim()}\n$$\n`)
        .replace(PARENTHESES, (_, math: string) => `$$${math.trim()}$$`)
        .replace(DOLLARS, (_, math: string) => `$$${math}$$`)
    })
    .join('')
}
