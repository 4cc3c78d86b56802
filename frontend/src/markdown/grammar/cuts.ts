/** Finds where to cut a growing text: the part before the cut no longer changes. */

import { lineStart, type Block } from './block'
import type { Node } from './node'

/** The part that is parsed again when the text grows. */
export interface Tail {
  from: number
  /** The head of the table, or the fence of the code, that continues. */
  prefix: string
  continues: boolean
}

export interface Cut {
  tail: Tail
  /** The blocks before the cut, and those after it. */
  head: Block[]
  rest: Block[]
}

export function cutOf(text: string, tail: Tail, blocks: readonly Block[]): Cut | null {
  const last = blocks.at(-1)
  if (last === undefined) return null
  return within(text, last, blocks) ?? between(text, tail, blocks)
}

/** Cut before the last block, if more text cannot join it to the block before. */
function between(text: string, tail: Tail, blocks: readonly Block[]): Cut | null {
  const last = blocks.at(-1)
  const before = blocks.at(-2)
  if (last === undefined || before === undefined) return null
  const { from } = last
  const gap = text.slice(before.node.end, from)
  const isApart = gap.split('\n').length > 2
  // A formula whose end has not arrived yet was parsed as something else.
  const mayBeMath = /\$\$|\\\[/.test(text.slice(tail.from))
  // A paragraph that is directly followed by another has the maximum length.
  const isFull = before.node.type === 'paragraph' && last.node.type === 'paragraph'
  if (!isApart && (mayBeMath || !(isFull || CLOSED.has(before.node.type)))) return null
  // After a list, the parser reads this as text; on its own, it would start a list.
  const isNumbered =
    last.node.type === 'paragraph' && /^ {0,3}\d+[.)]/.test(text.slice(from, from + 14))
  if (isNumbered) return null
  // An incomplete line may still become, for example, the next item of the list before it.
  const isWhole = text.includes('\n', from)
  if (!isWhole && !(isApart && FINISHED.has(before.node.type))) return null
  return {
    tail: { from, prefix: '', continues: false },
    head: blocks.slice(0, -1),
    rest: [last],
  }
}

/** Blocks that the next line cannot change. */
const CLOSED = new Set(['heading', 'thematicBreak', 'list', 'blockquote', 'table', 'html'])

/** Blocks that cannot continue after a blank line. */
const FINISHED = new Set(['paragraph', 'heading', 'code', 'thematicBreak', 'math', 'html'])

/** Cut within a long block. */
function within(text: string, last: Block, blocks: readonly Block[]): Cut | null {
  const { node } = last
  if (node.type === 'list') return beforeLast(text, last, blocks, '', 2, true)
  if (node.type === 'table') {
    const row = node.children?.[last.continues ? 0 : 1]
    if (row === undefined) return null
    const prefix = last.prefix || text.slice(last.from, lineStart(text, row.start))
    return beforeLast(text, last, blocks, prefix, last.continues ? 2 : 3, false)
  }
  return node.type === 'code' ? withinCode(text, last, blocks) : null
}

/** Cut before the last item of a list, or the last row of a table. */
function beforeLast(
  text: string,
  last: Block,
  blocks: readonly Block[],
  prefix: string,
  least: number,
  isWholeLine: boolean,
): Cut | null {
  const children = last.node.children ?? []
  const child = children.at(-1)
  if (child === undefined || children.length < least) return null
  const from = lineStart(text, child.start)
  if (from <= last.from || (isWholeLine && !text.includes('\n', from))) return null
  return {
    tail: { from, prefix, continues: true },
    head: [
      ...blocks.slice(0, -1),
      { ...last, to: from, node: { ...last.node, children: children.slice(0, -1) } },
    ],
    rest: [{ ...last, from, prefix, continues: true, node: { ...last.node, children: [child] } }],
  }
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/

/** Cut before the last whole line of code whose fence is not closed. */
function withinCode(text: string, last: Block, blocks: readonly Block[]): Cut | null {
  const firstEnd = text.indexOf('\n', last.from) + 1
  const prefix = last.prefix || text.slice(last.from, firstEnd)
  const fence = FENCE.exec(prefix)?.[1]
  if (fence === undefined || firstEnd === 0 || text.includes('\r', last.from)) return null
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`)
  if (closing.test(lastLine(text.trimEnd()))) return null
  const end = text.lastIndexOf('\n')
  const from = lineStart(text, end)
  const start = last.prefix ? last.from : firstEnd
  if (from <= start) return null
  const lines = (last.node.value ?? '').split('\n')
  const kept = text.slice(end + 1) === '' ? 1 : 2
  if (lines.length <= kept) return null
  const part = (value: string[]): Node => ({ ...last.node, value: value.join('\n') })
  return {
    tail: { from, prefix, continues: true },
    head: [...blocks.slice(0, -1), { ...last, to: from, node: part(lines.slice(0, -kept)) }],
    rest: [{ ...last, from, prefix, continues: true, node: part(lines.slice(-kept)) }],
  }
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1)
}
