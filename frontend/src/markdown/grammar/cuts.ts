/** Finds where to cut a growing text: the part before the cut no longer changes. */

import { lineStart, type Block } from './block'
import type { Failed } from './mathSyntax'
import { walk, type Node } from './node'

/** The part that is parsed again when the text grows. */
export interface Tail {
  from: number
  /** The head of the table, or the fence of the code, that continues. */
  prefix: string
  continues: boolean
  /** Whether it starts within a line of code. */
  isInLine?: boolean
}

export const START: Tail = { from: 0, prefix: '', continues: false }

export interface Cut {
  tail: Tail
  /** The blocks before the cut, and those after it. */
  head: Block[]
  rest: Block[]
}

/** Return the last cut before which no more text changes anything, such as a formula without end. */
export function cutOf(
  text: string,
  blocks: readonly Block[],
  failed: readonly Failed[],
): Cut | null {
  const last = blocks.at(-1)
  if (last === undefined) return null
  const cut = within(text, last, blocks, failed)
  // The last line may be incomplete.
  let index = blocks.length - 1
  if (cut === null) while (index > 0 && !isCut(text, blocks, index, failed)) index--
  if (cut !== null || index === 0) return cut
  return {
    tail: { from: blocks[index]?.from ?? 0, prefix: '', continues: false },
    head: blocks.slice(0, index),
    rest: blocks.slice(index),
  }
}

/** Return whether more text cannot join a block to the block before it. */
function isCut(
  text: string,
  blocks: readonly Block[],
  index: number,
  failed: readonly Failed[],
): boolean {
  const block = blocks[index]
  const before = blocks[index - 1]
  if (block === undefined || before === undefined) return false
  const { from } = block
  const gap = text.slice(before.node.end, from)
  const isApart = gap.split('\n').length > 2
  if (!isApart && !isClosed(text, before.node, block.node)) return false
  if (isInFormula(text, block.node.start, failed)) return false
  // After a list, the parser reads this as text; on its own, it would start a list.
  const isNumbered =
    block.node.type === 'paragraph' && /^ {0,3}\d+[.)]/.test(text.slice(from, from + 14))
  // On its own, an indented definition would be code, and code would not be lazy.
  const isIndented =
    !(block.node.type === 'code' && isApart) &&
    /^(?: {4}| {0,3}\t)/.test(text.slice(from, from + 4))
  if (isNumbered || isIndented) return false
  // An incomplete line may still become, for example, the next item of the list before it.
  const isWhole = text.includes('\n', from)
  return isWhole || (isApart && FINISHED.has(before.node.type))
}

/** Blocks that the next line cannot change if it starts another block. */
const CLOSED = new Set([
  'heading',
  'thematicBreak',
  'list',
  'blockquote',
  'table',
  'html',
  'code',
  'math',
])

/** Blocks that another of their kind ends; that is, a paragraph that has the maximum length. */
const ENDED = new Set(['paragraph', 'definition', 'footnoteDefinition'])

/** Blocks whose first line ends a paragraph. */
const ENDING = new Set(['heading', 'thematicBreak', 'code'])

/** Blocks that the parser reads otherwise right after a quote or a list, whose text they may continue. */
const LAZY = new Set(['paragraph', 'heading', 'definition', 'table'])

function isClosed(text: string, { type, start }: Node, next: Node): boolean {
  const isLazy = LAZY.has(next.type) && text[next.start] !== '#'
  if (isLazy && (type === 'list' || type === 'blockquote')) return false
  const isEnded = type === next.type && ENDED.has(type)
  const isIndented = type === 'code' && /\s/.test(text[start] ?? '')
  return (
    isEnded || (CLOSED.has(type) && !isIndented) || (type === 'paragraph' && ENDING.has(next.type))
  )
}

/** Return whether a block has a formula without its end. */
export function hasOpenMath(text: string, block: Node): boolean {
  let isFound = false
  walk(block, (each) => {
    isFound ||= each.type === 'math' && !CLOSED_MATH.test(text.slice(each.start, each.end))
  })
  return isFound
}

const CLOSED_MATH = /^(?:\$\$.+\$\$|\\\[.+\\\]|\\begin.+\\end\{[a-z]+\*?\})\s*$/s

/** The start of a line that opens a quote, a list item or a note. */
const CONTAINER = /^[ \t]*(?:[-*+>]|\d{1,9}[.)]|\[\^)/m

/**
 * Return whether a place may still be in a formula, or whether the parser, which took it for a part of
 * one, did not look for containers after it.
 */
function isInFormula(text: string, place: number, failed: readonly Failed[]): boolean {
  return failed.some(
    ({ start, end, isOpen }) =>
      (isOpen && start <= place) ||
      (start < place && place < end && CONTAINER.test(text.slice(place, end))),
  )
}

/** Blocks that cannot continue after a blank line. */
const FINISHED = new Set(['paragraph', 'heading', 'code', 'thematicBreak', 'math', 'html'])

/** Cut within a long block. */
function within(
  text: string,
  last: Block,
  blocks: readonly Block[],
  failed: readonly Failed[],
): Cut | null {
  const { node } = last
  if (node.type === 'list') return beforeLast(text, last, blocks, '', 2, true)
  if (node.type === 'table') {
    const row = node.children?.[last.continues ? 0 : 1]
    const end = node.children?.at(-1) ?? node
    if (row === undefined || isInFormula(text, end.start, failed)) return null
    const head = text.slice(last.from, lineStart(text, row.start))
    const prefix = last.prefix || head.replace('\ufeff', '')
    return beforeLast(text, last, blocks, prefix, last.continues ? 2 : 3, false)
  }
  return node.type === 'code' ? withinCode(text, last, blocks) : null
}

/** Cut before the last item of a list that has a whole line, or before the last row of a table. */
function beforeLast(
  text: string,
  last: Block,
  blocks: readonly Block[],
  prefix: string,
  least: number,
  isWholeLine: boolean,
): Cut | null {
  const children = last.node.children ?? []
  const end = isWholeLine ? text.lastIndexOf('\n') : text.length
  const index = children.findLastIndex(({ start }) => start <= end)
  const child = children[index]
  if (child === undefined || index + 1 < least) return null
  const from = lineStart(text, child.start)
  if (from <= last.from) return null
  return {
    tail: { from, prefix, continues: true },
    head: [
      ...blocks.slice(0, -1),
      { ...last, to: from, node: { ...last.node, children: children.slice(0, index) } },
    ],
    rest: [
      {
        ...last,
        from,
        prefix,
        continues: true,
        node: { ...last.node, children: children.slice(index) },
      },
    ],
  }
}

/** Cut where an overlong line is broken; `null` within code that only its container can continue. */
export function breakOf(text: string, from: number, blocks: readonly Block[]): Cut | null {
  const last = blocks.at(-1)
  const code = last?.node.type === 'code' ? fenceOf(text, last) : null
  if (last !== undefined && code === null && endsInCode(last.node)) return null
  const tail =
    code === null
      ? { ...START, from }
      : { from, prefix: code.prefix, continues: true, isInLine: true }
  return { tail, head: [...blocks], rest: [] }
}

function endsInCode({ type, children }: Node): boolean {
  const last = children?.at(-1)
  return last === undefined ? type === 'code' : endsInCode(last)
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/

/** Return the line that starts a block of code, and its fence; `null` for indented code. */
function fenceOf(text: string, { from, prefix }: Block): { prefix: string; fence: string } | null {
  const line = prefix || text.slice(from, text.indexOf('\n', from) + 1)
  const fence = FENCE.exec(line)?.[1]
  return fence === undefined ? null : { prefix: line, fence }
}

/** Cut before the last whole line of code whose fence is not closed. */
function withinCode(text: string, last: Block, blocks: readonly Block[]): Cut | null {
  const code = fenceOf(text, last)
  if (code === null || text.includes('\r', last.from)) return null
  const { prefix, fence } = code
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`)
  if (closing.test(lastLine(text.trimEnd()))) return null
  const end = text.lastIndexOf('\n')
  const from = lineStart(text, end)
  const start = last.prefix ? last.from : last.from + prefix.length
  if (from <= start) return null
  const lines = (last.node.value ?? '').split('\n')
  // The parser removes as much indentation as the fence has, and an empty last line.
  const indent = prefix.search(/[^ ]/)
  const kept = /^ *$/.test(text.slice(end + 1)) && text.length - end - 1 <= indent ? 1 : 2
  if (lines.length <= kept) return null
  const part = (value: string[]): Node => ({ ...last.node, value: value.join('\n') })
  return {
    tail: { from, prefix, continues: true },
    head: [...blocks.slice(0, -1), { ...last, to: from, node: part(lines.slice(0, -kept)) }],
    rest: [
      { ...last, from, prefix, continues: true, isInLine: false, node: part(lines.slice(-kept)) },
    ],
  }
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1)
}
