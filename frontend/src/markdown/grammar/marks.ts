/** Adds marks for cited sources to a text. */

import type { Mark } from '../sources'
import { MarkdownDocument } from './document'
import type { Node } from './node'
import { viewOf } from './view'

/** A mark with its place in the text. */
interface Place extends Mark {
  /** The order of marks at the same place. */
  order: number
}

const LINES = new Set(['paragraph', 'heading', 'tableCell'])
const SPANS = new Set(['emphasis', 'strong', 'delete', 'element'])

/** Return a block with its marks as nodes, each after the word or other node around it. */
export function withMarks(block: Node, text: string, marks: readonly Mark[]): Node {
  return placesIn(block, text, marks).reduceRight(
    (node, place) => inserted(node, text, place),
    block,
  )
}

/** Return the Markdown text with a number such as `[1]` for each mark. */
export function withMarkedSource(text: string, marks: readonly Mark[]): string {
  if (marks.length === 0) return text
  const document = new MarkdownDocument()
  document.update(text, false)
  const whole: Node = {
    type: 'root',
    children: [...viewOf(document, false).blocks],
    start: 0,
    end: text.length,
  }
  return placesIn(whole, text, marks).reduceRight(
    (all, { index, number }) => `${all.slice(0, index)}[${number}]${all.slice(index)}`,
    text,
  )
}

function placesIn(block: Node, text: string, marks: readonly Mark[]): Place[] {
  const lines = linesOf(block)
  const places = marks.flatMap(({ index, number }, order) => {
    const place = placeOf(lines, text, endOfWord(text, index))
    return place === null ? [] : [{ index: place, number, order }]
  })
  return places.sort((a, b) => a.index - b.index || a.order - b.order)
}

/** Return the end of the text before an index, without trailing white space. */
export function endOfWord(text: string, index: number): number {
  return text.slice(0, index).trimEnd().length
}

function linesOf(node: Node): Node[] {
  return LINES.has(node.type) || node.type === 'code' || node.type === 'math'
    ? [node]
    : (node.children ?? []).flatMap(linesOf)
}

/** Return the place of a mark; `null` in a block of code or math, where only the list names it. */
function placeOf(lines: readonly Node[], text: string, index: number): number | null {
  const line = lines.findLast((each) => each.start < index)
  if (line?.children === undefined) return null
  return placeIn(line.children, text, Math.min(index, line.end))
}

function placeIn(nodes: readonly Node[], text: string, index: number): number | null {
  const node = nodes.findLast((each) => each.start < index)
  if (node === undefined) return null
  if (index > node.end) return node.end
  if (SPANS.has(node.type) && node.children !== undefined) {
    const place = placeIn(node.children, text, index)
    return place === null || place >= (node.children.at(-1)?.end ?? 0) ? node.end : place
  }
  if (node.type !== 'text') return node.end
  const rest = /^[\p{L}\p{N}\p{M}'’]*/u.exec(text.slice(index, node.end))
  return index + (rest?.[0].length ?? 0)
}

/** Return the tree with a mark inserted. */
function inserted(parent: Node, text: string, place: Place): Node {
  const { index, number } = place
  const children = parent.children ?? []
  const at = children.findLastIndex((each) => each.start < index)
  const node = children[at]
  if (node === undefined) return parent
  const mark: Node = { type: 'sourceMark', number, start: index, end: index }
  const isHolder =
    node.children !== undefined && node.type !== 'link' && node.type !== 'linkReference'
  let made: Node[]
  if (isHolder && (index < node.end || !(SPANS.has(node.type) || node.type === 'text'))) {
    made = [inserted(node, text, place)]
  } else if (node.type === 'text' && index < node.end) {
    const value = node.value ?? ''
    const cut = placeInValue(value, text.slice(node.start, node.end), index - node.start)
    made = [
      { ...node, value: value.slice(0, cut), end: index },
      mark,
      { ...node, value: value.slice(cut), start: index },
    ]
  } else made = [node, mark]
  return { ...parent, children: [...children.slice(0, at), ...made, ...children.slice(at + 1)] }
}

/** Return the place in a value that matches one in its source, which also contains markup. */
function placeInValue(value: string, source: string, index: number): number {
  let place = 0
  for (let at = 0; at < index && place < value.length; at++) {
    if (source[at] === value[place]) place++
  }
  return place
}
