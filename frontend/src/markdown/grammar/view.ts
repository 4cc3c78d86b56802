/** The blocks to render, joined again where the text was parsed in parts. */

import { grouped } from '../groups'
import type { Block } from './block'
import type { MarkdownDocument } from './document'
import type { Node } from './node'
import { withElements } from './shape'
import { isDefinition } from './references'
import { textOfNote, Usage, withText } from './unused'

/** A text and its parts. */
type Parts = Pick<MarkdownDocument, 'text' | 'blocks' | 'references'>

export interface View {
  /** Unchanged blocks are the same objects as before. */
  blocks: readonly Node[]
  /** The notes to which the text refers, by label, in the order of their numbers. */
  notes: ReadonlyMap<string, Node>
}

/** Return the blocks of a text, and the notes below it. */
export function viewOf({ text, blocks, references }: Parts, isOpen: boolean): View {
  const nodes = whole(blocks)
  const usage = new Usage(nodes, references, (label) =>
    blocks.some(({ asked }) => asked.has(label)),
  )
  const notes = new Map<string, Node>()
  for (const [label, node] of usage.used) {
    if (node.type === 'footnoteDefinition') notes.set(label.slice(1), textOfNote(node, usage))
  }
  return { blocks: withElements(withText(nodes, usage, text), isOpen), notes }
}

/** Return blocks, joined where the text was parsed in parts. */
function whole(blocks: readonly Block[]): Node[] {
  const nodes: Node[] = []
  let parts: Block[] = []
  const flush = (): void => {
    if (parts.length > 0) nodes.push(together(parts))
    parts = []
  }
  for (const block of blocks) {
    const { type } = block.node
    if (!block.continues || parts[0]?.node.type !== type || isFull(parts, block)) flush()
    parts.push(block)
  }
  flush()
  return nodes
}

/** The most characters, about, in a quote or an item that the browser lays out together. */
const LARGEST = 20_000

/** Return whether the next part of a quote or an item starts another one. */
function isFull([first]: readonly Block[], { node, from, prefix }: Block): boolean {
  const isWithin = prefix !== '' && (node.type === 'blockquote' || node.type === 'list')
  return first !== undefined && isWithin && from - first.from > LARGEST && !isInCode(node, from)
}

/** Return whether a block starts within code. */
function isInCode({ type, start, children = [] }: Node, from: number): boolean {
  if (start >= from) return false
  return type === 'code' || (children[0] !== undefined && isInCode(children[0], from))
}

/** Return a block that starts at a place, without what only goes on there and has no more content. */
function startedAt(node: Node, from: number): Node {
  if (node.start >= from || node.type === 'table') return node
  const [first, ...more] = node.children ?? []
  const start = first && startedAt(first, from)
  const isEmpty = start?.children?.length === 0 && start !== first
  const children = start === undefined || isEmpty ? more : [start, ...more]
  return { ...node, start: from, children, ...(isDefinition(node) && { goesOn: true }) }
}

function together(parts: readonly Block[]): Node {
  const [first] = parts
  if (first?.node.type !== 'code') {
    const whole = joined(parts)
    return first === undefined || first.prefix === '' ? whole : startedAt(whole, first.from)
  }
  if (parts.length === 1) return first.node
  const end = parts.at(-1)?.node.end ?? first.node.end
  const lines = parts.map(({ node, isInLine }, index) =>
    index === 0 || isInLine ? node.value : `\n${node.value}`,
  )
  return { ...first.node, value: lines.join(''), end }
}

/** A part of a block, and where its source starts: a node before that goes on from the part before. */
type Part = Pick<Block, 'node' | 'from'>

/** Return the block of which there are parts. */
export function joined(parts: readonly Part[]): Node {
  const first = parts[0]?.node as Node
  if (parts.length === 1) return first
  const end = parts.at(-1)?.node.end ?? first.end
  if (first.type === 'code')
    return { ...first, value: parts.map(({ node }) => node.value).join('\n'), end }
  const children: Node[] = []
  let open: Part[] = []
  const flush = (): void => {
    if (open.length > 0) children.push(joined(open))
    open = []
  }
  for (const { node, from } of parts) {
    const [start, ...more] = node.children ?? []
    if (start === undefined) continue
    if (start.start >= from || open[0]?.node.type !== start.type) flush()
    open.push({ node: start, from })
    const last = more.pop()
    if (last === undefined) continue
    flush()
    children.push(...more)
    open = [{ node: last, from }]
  }
  flush()
  const isSpread = parts.some(({ node }) => (node.type === 'list' ? isLoose(node) : node.spread))
  return { ...first, ...(first.spread !== undefined && { spread: isSpread }), children, end }
}

/** Return whether a list is loose: it or one of its items has blank lines between its blocks. */
export function isLoose(list: Node): boolean {
  return list.spread === true || (list.children ?? []).some((item) => item.spread === true)
}

/** The characters as which a block within another counts. */
const BLOCK = 20

const costs = new WeakMap<Node, number>()

/** Return the cost of laying out a block: its characters and those as which the blocks in it count. */
export function costOf(node: Node): number {
  if (!HOLDS_BLOCKS.has(node.type)) return node.end - node.start + BLOCK
  const known = costs.get(node)
  if (known !== undefined) return known
  const inner = (node.children ?? []).reduce((sum, child) => sum + costOf(child), BLOCK)
  costs.set(node, inner)
  return inner
}

const HOLDS_BLOCKS = new Set(['blockquote', 'list', 'listItem', 'element', 'footnoteDefinition'])

/** The most items, and about the highest cost, of a list that the browser lays out together. */
const PART = { items: 100, cost: 20_000 }

/** The most cells of a table, about, that the browser lays out together, and the most of them in a row that count. */
const CELLS = { all: 800, row: 40 }

const known = new WeakMap<Node, readonly Node[]>()

/**
 * Return a long list or table in parts that follow each other, and another block as it is.
 *
 * The parts of an unchanged block are the same objects as before. Each part of a table has its head.
 */
export function inParts(node: Node): readonly Node[] {
  if (node.type !== 'list' && node.type !== 'table') return [node]
  const parts = known.get(node) ?? (node.type === 'list' ? partsOf(node) : tablesOf(node))
  known.set(node, parts)
  return parts
}

/** The tables that are shown in parts, by their heads. */
const tables = new WeakMap<Node, Node>()

function tablesOf(node: Node): Node[] {
  const [head, ...rows] = node.children ?? []
  const groups = grouped(rows, Infinity, CELLS.all, (row) =>
    Math.min(CELLS.row, row.children?.length ?? 0),
  )
  if (head === undefined || groups.length < 2) return [node]
  tables.set(head, node)
  return groups.map((children, index) => ({
    ...node,
    children: [head, ...children],
    start: index === 0 ? node.start : (children[0]?.start ?? node.start),
    end: children.at(-1)?.end ?? node.end,
  }))
}

/** Return the whole table of which there is a part. */
export function wholeTable(part: Node): Node {
  const head = part.children?.[0]
  return (head && tables.get(head)) ?? part
}

function partsOf(node: Node): Node[] {
  const items = node.children ?? []
  const groups = grouped(items, PART.items, PART.cost, costOf)
  if (groups.length < 2) return [node]
  const spread = isLoose(node)
  let first = node.first ?? 1
  return groups.map((children, index) => {
    const start = index === 0 ? node.start : (children[0]?.start ?? node.start)
    const end = children.at(-1)?.end ?? node.end
    const part = { ...node, children, spread, first, start, end }
    first += children.length
    return index === 0 ? part : { ...part, leader: items[0] as Node }
  })
}
