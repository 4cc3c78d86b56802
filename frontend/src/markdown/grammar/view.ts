/** The blocks to render, joined again where the text was parsed in parts. */

import { grouped } from '../groups'
import type { Block } from './block'
import type { Node } from './node'
import { withElements } from './shape'

/** Return the blocks of a text; unchanged blocks are the same objects as before. */
export function viewOf(blocks: readonly Block[], isOpen: boolean): Node[] {
  const nodes: Node[] = []
  let parts: Block[] = []
  const flush = (): void => {
    if (parts.length > 0) nodes.push(together(parts))
    parts = []
  }
  for (const block of blocks) {
    const { type } = block.node
    if (!block.continues || parts[0]?.node.type !== type) flush()
    if (type !== 'definition' && type !== 'footnoteDefinition') parts.push(block)
  }
  flush()
  return withElements(nodes, isOpen)
}

function together(parts: readonly Block[]): Node {
  const first = parts[0]?.node as Node
  if (parts.length === 1) return first
  const end = parts.at(-1)?.node.end ?? first.end
  if (first.type === 'code') {
    const lines = parts.map(({ node, isInLine }, index) =>
      index === 0 || isInLine ? node.value : `\n${node.value}`,
    )
    return { ...first, value: lines.join(''), end }
  }
  const children = parts.flatMap(({ node }) => node.children ?? [])
  const spread = parts.some(({ node }) => isLoose(node))
  return { ...first, ...(first.type === 'list' && { spread }), children, end }
}

/** Return whether a list is loose: it or one of its items has blank lines between its blocks. */
export function isLoose(list: Node): boolean {
  return list.spread === true || (list.children ?? []).some((item) => item.spread === true)
}

/** The most items, and about the most characters, of a list that the browser lays out together. */
const PART = { items: 100, characters: 20_000 }

const known = new WeakMap<Node, readonly Node[]>()

/**
 * Return a long list in parts that follow each other as its items do, and another block as it is.
 *
 * The parts of an unchanged list are the same objects as before.
 */
export function inParts(node: Node): readonly Node[] {
  if (node.type !== 'list') return [node]
  const parts = known.get(node) ?? partsOf(node)
  known.set(node, parts)
  return parts
}

function partsOf(node: Node): Node[] {
  const items = node.children ?? []
  const sizeOf = ({ start, end }: Node): number => end - start
  const groups = grouped(items, PART.items, PART.characters, sizeOf)
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
