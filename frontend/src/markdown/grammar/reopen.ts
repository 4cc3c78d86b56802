/** Opens the containers again in which an overlong text was broken. */

import { lineStart } from './block'
import { endOfLine } from './breaks'
import type { Node } from './node'

const MARKER = /^(?:>|(?:[-*+]|\d{1,9}[.)])(?:[ \t]{1,4}(?=[^\s]))?|\[\^(?:\\.|[^\\\]])+\]:)/

/** The most characters of a marker: a note's label has up to 999. */
const LONGEST = 1_010

/** Return lines that open the quotes, lists, notes, tables and code again in which a source was broken. */
export function reopening(source: string, last: Node, origin: number, isInCode: boolean): string {
  const lines = new Map<number, string>()
  let node: Node | undefined = last
  for (; node !== undefined; node = node.children?.at(-1)) {
    const start = node.start - origin
    const line = lineStart(source, start)
    if (node.type === 'table') {
      lines.set(line, source.slice(line, endOfLine(source, endOfLine(source, start) + 1)))
      break
    }
    if (node.type === 'code' && isInCode) {
      lines.set(line, source.slice(line, endOfLine(source, start)))
      break
    }
    if (!HOLDS_BLOCKS.has(node.type)) break
    if (node.type === 'list') continue
    const marker = MARKER.exec(source.slice(start, start + LONGEST))?.[0]
    // An empty heading ends before any other line.
    const space = /\s$/.test(marker ?? '') ? '' : ' '
    lines.set(line, `${source.slice(line, start)}${marker}${space}#`)
  }
  return [...lines.values()].map((line) => `${line}\n`).join('')
}

const HOLDS_BLOCKS = new Set(['blockquote', 'list', 'listItem', 'footnoteDefinition'])
const CONTINUES = new Set([...HOLDS_BLOCKS, 'table', 'code'])

/** Return a block without the content of the lines before its source, which only open containers. */
export function withoutPrefix(node: Node, from: number): Node {
  if (node.start >= from || node.children === undefined) return node
  const children = node.children.flatMap((each) => {
    if (each.start >= from) return [each]
    return CONTINUES.has(each.type) ? [withoutPrefix(each, from)] : []
  })
  return { ...node, children, end: Math.max(node.end, from) }
}
