/** Finds where to break overlong lines and blocks, whose cost would grow with their length. */

import type { Block } from './block'
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

/** The most characters in a block that only its end finishes, about. */
const LARGEST = 20_000
const LARGE = new Set(['blockquote', 'listItem', 'html', 'code'])

/** Return the line at which the first overlong block is broken; `null` if there is none. */
export function breakWithin(text: string, blocks: readonly Block[]): number | null {
  for (const { node, from } of blocks) {
    const isFenced = node.type === 'code' && !/^(?: {4}|\t)/.test(text.slice(from, from + 4))
    for (const part of node.type === 'list' ? (node.children ?? []) : [node]) {
      if (isFenced || !LARGE.has(part.type) || part.end - part.start <= LARGEST) continue
      const place =
        lineIn(
          text,
          part,
          part.start + LARGEST,
          part.start + 2 * LARGEST,
          /[\r\n]+(?= {0,3}\S)/g,
        ) ?? lineIn(text, part, part.start + 2 * LARGEST, part.end, /[\r\n]+(?=\s*\S)/g)
      if (place !== null) return place
    }
  }
  return null
}

/** Return the first such line between two places in a block that does not continue code in it. */
function lineIn(text: string, block: Node, from: number, to: number, line: RegExp): number | null {
  line.lastIndex = from
  for (let match = line.exec(text); match !== null; match = line.exec(text)) {
    const place = match.index + match[0].length
    if (place >= Math.min(to, block.end)) return null
    const end = block.type === 'code' ? null : endOfCodeAt(block, place)
    if (end === null) return place
    line.lastIndex = end
  }
  return null
}

/** Return the end of the code at a place, if there is any. */
function endOfCodeAt({ type, start, end, children = [] }: Node, place: number): number | null {
  if (place <= start || place >= end) return null
  if (type === 'code') return end
  for (const child of children) {
    const found = endOfCodeAt(child, place)
    if (found !== null) return found
  }
  return null
}
