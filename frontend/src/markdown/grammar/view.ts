/** The blocks to render, joined again where the text was parsed in parts. */

import type { Block } from './block'
import type { Node } from './node'
import { withElements } from './shape'

/** Return the blocks of a text; unchanged blocks are the same objects as before. */
export function viewOf(blocks: readonly Block[], isOpen: boolean): Node[] {
  const nodes: Node[] = []
  let parts: Node[] = []
  const flush = (): void => {
    if (parts.length > 0) nodes.push(together(parts))
    parts = []
  }
  for (const { node, continues } of blocks) {
    if (!continues || parts[0]?.type !== node.type) flush()
    if (node.type !== 'definition' && node.type !== 'footnoteDefinition') parts.push(node)
  }
  flush()
  return withElements(nodes, isOpen)
}

function together(parts: readonly Node[]): Node {
  const first = parts[0] as Node
  if (parts.length === 1) return first
  const end = parts.at(-1)?.end ?? first.end
  if (first.type === 'code')
    return { ...first, value: parts.map((part) => part.value).join('\n'), end }
  const children = parts.flatMap((part) => part.children ?? [])
  return { ...first, ...(first.type === 'list' && { spread: parts.some(isLoose) }), children, end }
}

/** Return whether a list is loose: it or one of its items has blank lines between its blocks. */
export function isLoose(list: Node): boolean {
  return list.spread === true || (list.children ?? []).some((item) => item.spread === true)
}
