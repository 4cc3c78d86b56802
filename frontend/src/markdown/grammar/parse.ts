/** Reads Markdown as models write it. */

import {
  fromMarkdown,
  type CompileContext,
  type Extension as TreeExtension,
  type Token,
} from 'mdast-util-from-markdown'
import { gfmAutolinkLiteralFromMarkdown } from 'mdast-util-gfm-autolink-literal'
import { gfmFootnoteFromMarkdown } from 'mdast-util-gfm-footnote'
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough'
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table'
import { gfmTaskListItemFromMarkdown } from 'mdast-util-gfm-task-list-item'
import * as core from 'micromark-core-commonmark'
import { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly'
import { gfmStrikethroughCjkFriendly } from 'micromark-extension-cjk-friendly-gfm-strikethrough'
import { gfmTable } from 'micromark-extension-gfm-table'
import { gfmTaskListItem } from 'micromark-extension-gfm-task-list-item'
import { combineExtensions } from 'micromark-util-combine-extensions'
import type { Construct, Extension } from 'micromark-util-types'

import { autolinks } from './autolinks'
import { completed } from './complete'
import { html } from './htmlSyntax'
import { labels, withLabels, type Asked, type Known } from './labels'
import { budgeted, endless, FORMULA, limits, longRun, shallow } from './limits'
import { math, withFormulas, type Failed } from './mathSyntax'
import type { Node } from './node'
import { shaped } from './shape'
import { currentSource, setSource } from './source'
import { narrow } from './tables'

export interface Parsed {
  /** The blocks. */
  children: Node[]
  /** The labels that references looked up, in the order of the text; those of notes start with `^`. */
  asked: Asked[]
  /** What started formulas that have no end. */
  failed: Failed[]
}

export interface Setting {
  /** The labels that the rest of the text defines. */
  known?: Known
  /** Whether the text continues. */
  isOpen?: boolean
  /** Where the source starts in the text. */
  base?: number
}

const NOTHING: Known = new Set<string>()

/** Parse a Markdown text, or a part of one. */
export function parse(
  source: string,
  { known = NOTHING, isOpen = false, base = 0 }: Setting = {},
): Parsed {
  const extensions = [isOpen ? OPEN : WHOLE]
  setSource(source)
  const [[tree, failed], asked] = withLabels(known, () =>
    withFormulas(() => fromMarkdown(source, { extensions, mdastExtensions: TREE })),
  )
  const nodes = (tree as unknown as RawNode).children ?? []
  const children = shaped(nodes, { source: currentSource(), isOpen, base })
  if (isOpen) completed(children, base + source.trimEnd().length)
  return {
    children,
    asked: asked.map(({ label, at }) => ({ label, at: at + base })),
    failed: failed.map((each) => ({ ...each, start: each.start + base, end: each.end + base })),
  }
}

/** A node of mdast, before it becomes a flat `Node`. */
export interface RawNode extends Omit<Node, 'start' | 'end' | 'children' | 'first'> {
  children?: RawNode[]
  start?: number | null
  position?: { start: { offset: number }; end: { offset: number } }
}

/** Limited versions of the parser's own constructs for markup that can come in any number. */
const MARKS: Extension = {
  disable: {
    null: [
      'attention',
      'characterEscape',
      'characterReference',
      'labelStartLink',
      'labelStartImage',
      'labelEnd',
      'codeText',
      'autolink',
      'htmlText',
    ],
  },
  text: {
    33: budgeted(core.labelStartImage),
    38: budgeted(core.characterReference),
    42: [longRun],
    60: [budgeted(core.autolink), budgeted(core.htmlText)],
    91: budgeted(core.labelStartLink),
    92: budgeted(core.characterEscape),
    95: [longRun],
    96: budgeted(core.codeText),
    126: [longRun],
  },
  // Addresses, titles and the text after a fence.
  string: {
    38: budgeted(core.characterReference),
    92: budgeted(core.characterEscape),
  },
}

/** Return the extension with a budget for all its text constructs. */
function withPrice(extension: Extension, price?: number): Extension {
  const text = Object.entries(extension.text ?? {}).map(([code, constructs]) => [
    code,
    [constructs ?? []].flat().map((each: Construct) => budgeted(each, price)),
  ])
  return { ...extension, text: Object.fromEntries(text) as NonNullable<Extension['text']> }
}

const { text: taskText } = gfmTaskListItem()
const tables = Object.values(gfmTable().flow ?? {}).flat() as Construct[]
// For the same character, constructs of later extensions are tried first.
const BASIC: Extension[] = [
  shallow,
  withPrice(cjkFriendlyExtension()),
  withPrice(gfmStrikethroughCjkFriendly({ singleTilde: false })),
  autolinks(),
  MARKS,
  { text: taskText ?? {} },
  { flow: { null: [...tables.map(narrow), endless] } },
  html,
  labels(),
]
const WHOLE = whole(withPrice(math(false), FORMULA))
const OPEN = whole(withPrice(math(true), FORMULA))

function whole(formulas: Extension): Extension {
  const all = [...BASIC, formulas]
  return combineExtensions([...all, limits(all)])
}

const mathTree: TreeExtension = {
  enter: { mathText: enterMath, mathFlow: enterMath },
  exit: { mathText: exitMath, mathFlow: exitMath },
}

function enterMath(this: CompileContext, token: Token): void {
  const type = (token.type as string) === 'mathFlow' ? 'math' : 'inlineMath'
  this.enter({ type, value: '' } as never, token)
}

function exitMath(this: CompileContext, token: Token): void {
  const node = this.stack.at(-1) as unknown as Node
  const written = this.sliceSerialize(token).trim()
  const isInCell = this.stack.some(({ type }) => type === 'tableCell')
  const source = isInCell ? written.replaceAll('\\|', '|') : written
  const size = source.startsWith('\\begin') ? 0 : /^\$(?!\$)/.test(source) ? 1 : 2
  const close = source.startsWith('$') ? '$' : source.startsWith('\\[') ? '\\]' : '\\)'
  node.source = source
  const tex = source.slice(size, size > 0 && source.endsWith(close) ? -size : undefined).trim()
  // GitHub's way to keep Markdown out of a formula.
  node.value = size === 1 ? tex.replace(/^`(.*)`$/s, '$1') : tex
  node.isDisplay = node.type === 'math' || source.startsWith('\\[')
  this.exit(token)
}

const TREE: TreeExtension[] = [
  // The parser finds addresses, so do not search its texts for them again.
  { ...gfmAutolinkLiteralFromMarkdown(), transforms: [] },
  gfmFootnoteFromMarkdown(),
  gfmStrikethroughFromMarkdown(),
  gfmTableFromMarkdown(),
  gfmTaskListItemFromMarkdown(),
  mathTree,
]
