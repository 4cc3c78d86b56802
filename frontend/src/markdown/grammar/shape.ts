/** Turns the parser's tree into the tree to render. */

import { nested, type Part } from './nesting'
import type { Node } from './node'
import type { RawNode } from './parse'
import { isDefinition } from './references'
import { BLOCK, tokensOf } from './tags'

/** The deepest nesting to render: more would slow down the page, and nobody could see it. */
const DEEPEST = 30

/** Return the blocks of a text. HTML between them may span several blocks, and is left as it is. */
export function shaped(blocks: readonly RawNode[], whole: Whole): Node[] {
  return wholeCode(blocks, whole).map((block) =>
    block.type === 'html' ? plain(block, whole) : shape(block, whole, 0),
  )
}

/** Return blocks with indented code in one: after an empty item, the parser ends it after its first line. */
function wholeCode(blocks: readonly RawNode[], { source }: Whole): RawNode[] {
  const all: RawNode[] = []
  for (const block of blocks) {
    const before = all.at(-1)
    const [first, second] = [before?.position, block.position]
    const isIndented = (start = 0): boolean => /[ \t]/.test(source[start] ?? '')
    const isCode = before?.type === 'code' && block.type === 'code' && first && second
    if (isCode && isIndented(first.start.offset) && isIndented(second.start.offset)) {
      const gap = source.slice(first.end.offset, second.start.offset)
      const lines = '\n'.repeat(gap.match(/\r\n?|\n/g)?.length ?? 1)
      const position = { start: first.start, end: second.end }
      all[all.length - 1] = { ...before, value: `${before.value}${lines}${block.value}`, position }
    } else all.push(block)
  }
  return all
}

interface Whole {
  source: string
  isOpen: boolean
  /** Where the source starts in the text. */
  base: number
}

const known = new WeakMap<Node, Node>()

/**
 * Return blocks with elements in place of HTML; each element ends with its container.
 *
 * Blocks without HTML, and those that were given before, are the same objects.
 */
export function withElements(blocks: readonly Node[], isOpen: boolean): Node[] {
  const inner = blocks.map((block, index) => {
    if (!CONTAINERS.has(block.type)) return block
    const goesOn = isOpen && index === blocks.length - 1
    const made = (goesOn ? undefined : known.get(block)) ?? withElementsInside(block, goesOn)
    if (!goesOn) known.set(block, made)
    return made
  })
  if (!inner.some(({ type }) => type === 'html')) return inner
  const parts = inner.flatMap((block) => (block.type === 'html' ? blockParts(block) : [block]))
  return paragraphs(nested(parts, isOpen, true))
}

function withElementsInside(block: Node, isOpen: boolean): Node {
  const before = block.children ?? []
  const children = withElements(before, isOpen)
  const isSame =
    children.length === before.length && children.every((each, at) => each === before[at])
  return isSame ? block : { ...block, children }
}

function plain(raw: RawNode, { source, base }: Whole): Node {
  const { position, children: _, start, ...rest } = raw
  const from = base + (position?.start.offset ?? 0)
  const node: Node = { ...rest, start: from, end: base + (position?.end.offset ?? 0) }
  if (raw.type === 'list') node.first = start ?? null
  if (raw.identifier !== undefined) node.identifier = raw.identifier.toUpperCase()
  if (isDefinition(raw)) {
    const written = source.slice(node.start - base, node.end - base)
    node.source = NOTE_LABEL.exec(written)?.[0] ?? written.replaceAll(/\n[ \t>]*/g, '\n')
  }
  return node
}

const NOTE_LABEL = /^\[\^(?:\\.|[^\\\]])+\]:/

const HOLDS_BLOCKS = new Set(['blockquote', 'listItem', 'footnoteDefinition'])
const CONTAINERS = new Set(['blockquote', 'list', 'listItem'])

function shape(raw: RawNode, whole: Whole, depth: number): Node {
  const { source, isOpen, base } = whole
  const node = plain(raw, whole)
  if (raw.children === undefined) return node
  if (depth > DEEPEST) {
    const text: Node = {
      type: 'text',
      value: source.slice(node.start - base, node.end - base),
      start: node.start,
      end: node.end,
    }
    return HOLDS_BLOCKS.has(raw.type) || raw.type === 'list'
      ? { ...text, type: 'paragraph', children: [text] }
      : text
  }
  const goesOn = isOpen && node.end >= base + source.trimEnd().length
  if (HOLDS_BLOCKS.has(raw.type)) {
    const blocks = wholeCode(raw.children, whole).map((child) =>
      child.type === 'html' ? plain(child, whole) : shape(child, whole, depth + 1),
    )
    // Quotes and lists may still be parts of others.
    node.children = raw.type === 'footnoteDefinition' ? withElements(blocks, goesOn) : blocks
  } else if (raw.children.some((child) => child.type === 'html')) {
    const parts = raw.children.flatMap((child) =>
      child.type === 'html' ? inlineParts(child, whole) : [shape(child, whole, depth + 1)],
    )
    node.children = joined(nested(parts, false, false))
  } else {
    node.children = raw.children.map((child) => shape(child, whole, depth + 1))
  }
  // A link without text would not be seen.
  if (raw.type === 'link' && node.children.length === 0)
    node.children = [{ type: 'text', value: node.url ?? '', start: node.start, end: node.end }]
  return node
}

/** Return the parts for a tag within a paragraph. */
function inlineParts(raw: RawNode, whole: Whole): Part[] {
  const { start, end } = plain(raw, whole)
  const value = raw.value ?? ''
  const [token, ...more] = value.startsWith('<!--') ? [] : tokensOf(value)
  if (token === undefined || token.type === 'text' || more.length > 0) {
    return [{ type: 'text', value, start, end }]
  }
  return [{ ...token, isTag: true, start, end }]
}

/** Return the tags of an HTML block, and the texts between them. */
function blockParts(block: Node): Part[] {
  const parts: Part[] = []
  let isKept = false
  // The parser includes the blank lines at the end only if certain blocks follow.
  for (const token of tokensOf((block.value ?? '').trimEnd())) {
    const { start, end } = block
    if (token.type === 'text') {
      const value = isKept ? token.value : token.value.replaceAll(/[ \t]*\n\s*/g, '\n')
      parts.push({ type: 'text', value, start, end })
    } else {
      parts.push({ ...token, isTag: true, start, end })
      if (token.name === 'pre') isKept = token.type === 'open'
    }
  }
  return parts
}

const INLINE = new Set(
  `text break link linkReference image imageReference footnoteReference emphasis strong delete inlineCode
   inlineMath sourceMark`.split(/\s+/),
)

/** Return whether a node is a block. */
export function isBlock(node: Node): boolean {
  return node.type === 'element' ? BLOCK.has(node.name ?? '') : !INLINE.has(node.type)
}

/** Return blocks, with inline nodes put into paragraphs. */
export function paragraphs(nodes: readonly Node[]): Node[] {
  const blocks: Node[] = []
  let line: Node[] = []
  const flush = (): void => {
    if (line.some((each) => each.type !== 'text' || each.value?.trim() !== '')) {
      const [first] = line
      const last = line.at(-1)
      blocks.push({
        type: 'paragraph',
        children: joined(line),
        start: first?.start ?? 0,
        end: last?.end ?? 0,
      })
    }
    line = []
  }
  for (const node of nodes) {
    if (!isBlock(node)) line.push(node)
    else {
      flush()
      blocks.push(node)
    }
  }
  flush()
  return blocks
}

/** Return nodes with adjacent texts joined. */
export function joined(nodes: readonly Node[]): Node[] {
  const all: Node[] = []
  for (const node of nodes) {
    const last = all.at(-1)
    if (node.type === 'text' && last?.type === 'text') {
      all[all.length - 1] = { ...last, value: `${last.value}${node.value}`, end: node.end }
    } else all.push(node)
  }
  return all
}
