/** Finds where to break overlong lines and blocks, whose cost would grow with their length. */

import { lineStart, type Block } from './block'
import type { Node } from './node'

/** The most characters in a line, about. */
const LONGEST = 5_000

/** Images in a text count as short. */
const IMAGE = /data:image\/[\w.+-]+;base64,[\w+/=-]*/g

/** Return where the first overlong line after an index is broken; `null` if there is none. */
export function breakAfter(text: string, from: number): number | null {
  for (let start = from; start < text.length; ) {
    const end = endOfLine(text, start)
    const limit = end - start > LONGEST ? limitOf(text, start) : end
    if (limit < end) return between(text, start, limit)
    start = end + 1
  }
  return null
}

export function endOfLine(text: string, from: number): number {
  const ends = /[\r\n]/g
  ends.lastIndex = from
  return ends.exec(text)?.index ?? text.length
}

function limitOf(text: string, start: number): number {
  let limit = start + LONGEST
  for (let from = start; ; ) {
    const image = text.slice(from, limit).search(IMAGE)
    if (image === -1) return limit
    IMAGE.lastIndex = from + image
    const { length } = IMAGE.exec(text)?.[0] ?? ''
    from += image + length
    limit += length
  }
}

/** Return a place between two words, if the last one is not too long. */
function between(text: string, start: number, limit: number): number {
  const near = Math.max(start, limit - 200)
  const space = text.slice(near, limit).search(/[ \t][^ \t]*$/)
  if (space > 0) return near + space + 1
  return /[\ud800-\udbff]/.test(text[limit - 1] ?? '') ? limit - 1 : limit
}

/** The most characters in HTML and indented code, about, which only their end finishes. */
const LARGEST = 20_000

/** The most characters of a quote, a list item or a note to parse together, and of a block in it, about. */
const PART = 2_000
const WITHOUT_END = 6_000

/** The characters as which the end of a line counts, because each line may be a block. */
const LINE = 20

const CONTAINERS = new Set(['blockquote', 'listItem', 'footnoteDefinition'])

/** A line at which a block is broken, and whether it is in code. */
export interface Break {
  place: number
  isInCode: boolean
}

/** Return the line at which the first overlong block is broken; `null` if there is none. */
export function breakWithin(text: string, blocks: readonly Block[]): Break | null {
  for (const { node, from } of blocks) {
    for (const part of node.type === 'list' ? (node.children ?? []) : [node]) {
      const found = breakIn({ text, block: part, start: Math.max(part.start, from) })
      if (found !== null) return found
    }
  }
  return null
}

/** A block, and where its source starts, or goes on from the part before. */
interface Part {
  text: string
  block: Node
  start: number
}

function breakIn(within: Part): Break | null {
  const { text, block, start } = within
  const { type, end } = block
  if (CONTAINERS.has(type)) {
    const near = endOfSize(text, start, PART, end)
    const far = endOfSize(text, near, WITHOUT_END - PART, end)
    return lineIn(within, near, far, BLOCK) ?? lineIn(within, far, end, ANY)
  }
  const isIndented = type === 'code' && /[ \t]/.test(text[start] ?? '')
  if (type !== 'html' && !isIndented) return null
  const near = start + LARGEST
  const far = near + LARGEST
  return lineIn(within, near, far, OUTER) ?? lineIn(within, far, end, ANY)
}

/** Return the end of a part of a text that has a size, counting its lines. */
export function endOfSize(text: string, start: number, size: number, to = text.length): number {
  let end = start
  for (let left = size; left > 0 && end < to; end++) left -= text[end] === '\n' ? LINE : 1
  return end
}

/** The end of a line before any other, and before one that is not indented. */
const ANY = /[\r\n]+(?=\s*\S)/g
const OUTER = /[\r\n]+(?= {0,3}\S)/g

/** The end of a line before a blank one, or before one that starts an item or a heading, in a container. */
const BLOCK =
  /(?:\r(?!\n)|\n)(?=[ \t>]*(?:\r\n?|\n)[ \t>]*[^\s>]|[ \t>]*(?:[-*+]|#{1,6}|\d{1,9}[.)])[ \t]+[^\s])/g

/** Return the first such line between two places in a block that is not in math or a part of code. */
function lineIn(
  { text, block, start }: Part,
  from: number,
  to: number,
  line: RegExp,
): Break | null {
  line.lastIndex = from
  for (let match = line.exec(text); match !== null; match = line.exec(text)) {
    const place = match.index + match[0].length
    if (place >= Math.min(to, block.end)) return null
    const code = block.type === 'code' ? null : codeAt(block, place)
    if (code === null) return { place, isInCode: false }
    if (!isFenced(text, code, start)) line.lastIndex = code.end
    else if (isWithinCode(text, code, place, start)) return { place, isInCode: true }
  }
  return null
}

/** Return the code or math at a place, if there is any. */
function codeAt(node: Node, place: number): Node | null {
  const { type, start, end, children = [] } = node
  if (place <= start || place >= end) return null
  if (type === 'code' || type === 'math') return node
  for (const child of children) {
    const found = codeAt(child, place)
    if (found !== null) return found
  }
  return null
}

/** Return whether a block is fenced code: only such code goes on from the part before, which has its fence. */
function isFenced(text: string, { type, start }: Node, from: number): boolean {
  return type === 'code' && (start < from || /[`~]/.test(text[start] ?? ''))
}

/** Return whether there are lines of code before and after a place; the parser may drop blank ones. */
function isWithinCode(text: string, code: Node, place: number, from: number): boolean {
  const first = code.start < from ? from : endOfLine(text, code.start)
  const end = place - (text.startsWith('\r\n', place - 2) ? 2 : 1)
  const before = text.slice(Math.max(first, lineStart(text, end)), end)
  return /[^\s>]/.test(before) && endOfLine(text, place) < code.end
}
