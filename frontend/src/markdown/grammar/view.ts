/** The blocks to render, joined again where the text was parsed in parts. */

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
