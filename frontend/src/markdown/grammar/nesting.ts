/** Turns pairs of tags into elements. */

import type { Node } from './node'
import { BLOCK, DRAWN, VOID, type Token } from './tags'

type Tag = Exclude<Token, { type: 'text' }> & { isTag: true; start: number; end: number }
export type Part = Node | Tag

/** The most elements that can be open at a time. */
const DEEPEST = 30

/**
 * Return nodes with an element for each pair of tags; unpaired tags are text.
 *
 * Among blocks, unclosed `<details>` end with their container. So do other elements while the text
 * continues, because their closing tags may still arrive.
 */
export function nested(parts: readonly Part[], isOpen: boolean, isBlocks: boolean): Node[] {
  const ends = pairs(parts, (name) => isBlocks && (isOpen || name === 'details'))
  return build(parts, 0, parts.length, ends)
}

/** Return the index of each opening tag's closing tag. */
function pairs(
  parts: readonly Part[],
  mayStayOpen: (name: string) => boolean,
): Map<number, number> {
  const ends = new Map<number, number>()
  const open: { name: string; index: number }[] = []
  parts.forEach((part, index) => {
    if (!('isTag' in part)) return
    if (part.type === 'open') {
      if (!VOID.has(part.name) && open.length < DEEPEST) open.push({ name: part.name, index })
      return
    }
    const place = open.findLastIndex((each) => each.name === part.name)
    const partner = open[place]
    if (partner === undefined) return
    ends.set(partner.index, index)
    open.length = place
  })
  for (const { name, index } of open) if (mayStayOpen(name)) ends.set(index, parts.length)
  return ends
}

function build(
  parts: readonly Part[],
  from: number,
  to: number,
  ends: Map<number, number>,
): Node[] {
  const nodes: Node[] = []
  for (let index = from; index < to; index++) {
    const part = parts[index] as Part
    if (!('isTag' in part)) {
      nodes.push(part)
      continue
    }
    const end = ends.get(index)
    if (part.type === 'open' && VOID.has(part.name)) nodes.push(voidNode(part))
    else if (part.type === 'open' && end !== undefined && end <= to) {
      nodes.push(...element(part, build(parts, index + 1, end, ends), parts[end]?.end ?? part.end))
      index = end
    } else nodes.push({ type: 'text', value: part.raw, start: part.start, end: part.end })
  }
  return nodes
}

function voidNode({ name, start, end }: Tag & { type: 'open' }): Node {
  if (name === 'br') return { type: 'break', start, end }
  if (name === 'hr') return { type: 'thematicBreak', start, end }
  return { type: 'text', value: '\u200b', start, end }
}

function element(
  { name, attributes, start }: Tag & { type: 'open' },
  children: Node[],
  end: number,
): Node[] {
  if (name === 'a') {
    const url = attributes['href']
    if (url === undefined) return children
    return [
      {
        type: 'link',
        url,
        title: attributes['title'] ?? null,
        children: withoutLinks(children),
        start,
        end,
      },
    ]
  }
  if (DRAWN.has(name)) return [{ type: 'element', name, attributes, children, start, end }]
  return BLOCK.has(name)
    ? [{ type: 'element', name: 'div', attributes: {}, children, start, end }]
    : children
}

/** Replace links within a link by their content. */
function withoutLinks(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => {
    const children = node.children && withoutLinks(node.children)
    if (node.type === 'link' || node.type === 'linkReference') return children ?? []
    return [children ? { ...node, children } : node]
  })
}
