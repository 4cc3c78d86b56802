/** Renders unclosed markup in text that is still being written as if it were closed. */

import { joined } from './shape'
import type { Node } from './node'

const HOLDS_LINES = new Set(['paragraph', 'heading', 'tableCell'])

/** Complete the unfinished markup at the end of the last block, which is still being written. */
export function completed(blocks: readonly Node[], end: number): void {
  let node = blocks.at(-1)
  if (node === undefined || node.end < end) return
  while (node !== undefined && !HOLDS_LINES.has(node.type)) node = node.children?.at(-1)
  if (node?.children !== undefined) node.children = completedLine(node.children, 0)
}

const OPENER =
  /((?<![\\*])\*\*\*?|(?<!~)~~|(?<![\p{L}\p{N}\\*_])(?:\*|__|_))(?=[^\s*_~])|(`+)(?=[^`])|!?\[([^[\]]*)\]\([^()\s]*$/u
const TYPES: Record<string, string> = {
  '*': 'emphasis',
  _: 'emphasis',
  '**': 'strong',
  __: 'strong',
  '~~': 'delete',
}

function completedLine(nodes: readonly Node[], depth: number): Node[] {
  const all = withoutTrail(nodes)
  if (depth > 5) return all
  for (const [index, node] of all.entries()) {
    if (node.type !== 'text') continue
    const match = OPENER.exec(node.value ?? '')
    if (match === null) continue
    const value = node.value ?? ''
    const before: Node = { ...node, value: value.slice(0, match.index) }
    const after: Node = { ...node, value: value.slice(match.index + match[0].length) }
    const rest = [after, ...all.slice(index + 1)]
    const end = all.at(-1)?.end ?? node.end
    const made = (type: string, children: Node[]): Node => ({
      type,
      children,
      start: node.end,
      end,
    })
    const left = joined([...all.slice(0, index), before])
    if (match[3] !== undefined) return [...left, { ...node, value: match[3] }]
    if (match[2] !== undefined) {
      if (rest.some((each) => each.type !== 'text')) return all
      const words = rest.map((each) => each.value).join('')
      return [...left, { type: 'inlineCode', value: words, start: node.end, end }]
    }
    const inner = completedLine(rest, depth + 1)
    const mark = match[1] ?? ''
    if (mark === '***') return [...left, made('strong', [made('emphasis', inner)])]
    return [...left, made(TYPES[mark] ?? 'emphasis', inner)]
  }
  return all
}

/** Leave out the start of a delimiter at the very end. */
function withoutTrail(nodes: readonly Node[]): Node[] {
  const last = nodes.at(-1)
  if (last?.type !== 'text') return [...nodes]
  const value = (last.value ?? '').replace(/(?:<\/?[a-z]*|!?\[)$/, '')
  return [...nodes.slice(0, -1), ...(value === '' ? [] : [{ ...last, value }])]
}
