/** Shows the definitions that nothing refers to as they were written. */

import type { Node } from './node'
import { isDefinition, labelOf, type References } from './references'

/** The references and definitions in a node, in the order of the text. Those in its definitions do not count. */
interface Content {
  /** The labels of references; those of notes start with `^`. */
  labels: readonly string[]
  definitions: readonly Node[]
}

const NOTHING: Content = { labels: [], definitions: [] }

const contents = new WeakMap<Node, Content>()

function contentOf(node: Node): Content {
  const known = contents.get(node)
  if (known !== undefined) return known
  const content = isDefinition(node) ? { labels: [], definitions: [node] } : contentIn(node)
  contents.set(node, content)
  return content
}

function contentIn(node: Node): Content {
  const labels = [...labelsOf(node)]
  const definitions: Node[] = []
  for (const child of node.children ?? []) {
    if (child.children === undefined && child.identifier === undefined) continue
    const inner = contentOf(child)
    labels.push(...inner.labels)
    definitions.push(...inner.definitions)
  }
  return labels.length + definitions.length > 0 ? { labels, definitions } : NOTHING
}

function labelsOf({ type, identifier = '' }: Node): readonly string[] {
  if (type === 'footnoteReference') return [`^${identifier}`]
  return type === 'linkReference' || type === 'imageReference' ? [identifier] : []
}

/** Returns whether the text may refer to a label whose definition is being written. */
type IsAsked = (label: string) => boolean

/** The definitions that a text refers to, and those that are shown as text. */
export class Usage {
  /** By label, in the order of the references; those in notes come last. */
  readonly used = new Map<string, Node>()
  readonly #shown = new Set<Node>()
  readonly #references: References
  readonly #isAsked: IsAsked
  /** The labels of notes that are shown as text. */
  readonly #inPlace = new Set<string>()

  constructor(blocks: readonly Node[], references: References, isAsked: IsAsked) {
    this.#references = references
    this.#isAsked = isAsked
    // A definition that is being written is in the last block.
    const some = references.isEmpty ? blocks.slice(-1) : blocks
    this.#follow(some)
    this.#check(some)
    // A note that is shown as text may refer to a definition before it.
    for (const node of this.#shown)
      if (this.used.get(labelOf(node))?.start === node.start) this.#shown.delete(node)
    if (this.#inPlace.size === 0) return
    this.used.clear()
    this.#follow(some.flatMap((block) => [block, ...this.#notesIn(block)]))
  }

  /** Whether the view shows no definition as text. */
  get isEmpty(): boolean {
    return this.#shown.size === 0
  }

  isShown(definition: Node): boolean {
    return this.#shown.has(definition)
  }

  /** Follow the references in blocks, and those in the notes to which they lead. */
  #follow(blocks: readonly Node[]): void {
    const all = [...blocks]
    // This includes the blocks that are added meanwhile.
    for (const block of all) {
      for (const label of contentOf(block).labels) {
        if (this.used.has(label) || this.#inPlace.has(label)) continue
        const node = this.#references.get(label)
        if (node === undefined) continue
        this.used.set(label, node)
        if (node.children !== undefined) all.push(...node.children)
      }
    }
  }

  /** Show the definitions in blocks that are not used. */
  #check(blocks: readonly Node[]): void {
    for (const block of blocks) {
      for (const definition of contentOf(block).definitions) this.#checkOne(definition)
    }
  }

  #checkOne(definition: Node): void {
    const { start, goesOn, children } = definition
    const label = labelOf(definition)
    const first = this.used.get(label) ?? this.#references.get(label)
    const isFirst = goesOn === true || first === undefined || first.start === start
    const isUsed = first === undefined ? this.#isAsked(label) : this.used.has(label)
    if (isFirst && isUsed) {
      if (first?.children !== undefined) this.#check(first.children)
      return
    }
    this.#shown.add(definition)
    if (children === undefined) return
    if (isFirst) this.#inPlace.add(label)
    this.#follow(children)
    this.#check(children)
  }

  /** Return the blocks of the notes that are shown as text in a block. */
  #notesIn(block: Node): Node[] {
    const shown = contentOf(block).definitions.filter((each) => this.#shown.has(each))
    const inner = shown.flatMap(({ children = [] }) => children)
    return inner.flatMap((each) => [each, ...this.#notesIn(each)])
  }
}

const made = new WeakMap<Node, { key: string; nodes: readonly Node[] }>()

/** Return blocks whose unused definitions are text; the others stay where they are. */
export function withText(blocks: readonly Node[], usage: Usage, text?: string): readonly Node[] {
  if (usage.isEmpty) return blocks
  const all: Node[] = []
  let before: Node | undefined
  for (const block of blocks) {
    const goesOn = isDefinition(block) && usage.isShown(block) && isNextLine(before, block, text)
    const nodes = asText(block, usage, goesOn)
    if (nodes === undefined) all.push(block)
    else all.push(...nodes)
    before = isDefinition(block) && nodes !== undefined ? block : undefined
  }
  return all
}

function isNextLine(before: Node | undefined, { start }: Node, text: string | undefined): boolean {
  if (before === undefined || text === undefined) return false
  return start === before.end + 1 || !BLANK_LINE.test(text.slice(before.end, start))
}

const BLANK_LINE = /(?:\r\n?|\n)[ \t]*[\r\n]/

/** Return the blocks to show for one with unused definitions. */
function asText(node: Node, usage: Usage, goesOn: boolean): readonly Node[] | undefined {
  const { definitions } = contentOf(node)
  if (!definitions.some((each) => usage.isShown(each))) return undefined
  const key = (node === definitions[0] && !node.children ? '' : keyOf(definitions, usage)) + goesOn
  const known = made.get(node)
  if (known?.key === key) return known.nodes
  const { children } = node
  const whole =
    children === undefined ? node : { ...node, children: [...withText(children, usage)] }
  const nodes = isDefinition(node) ? written(whole, goesOn) : [whole]
  made.set(node, { key, nodes })
  return nodes
}

/** Return a note, with the unused definitions in it as text. */
export function textOfNote(note: Node, usage: Usage): Node {
  const children = note.children ?? []
  if (children.every((child) => contentOf(child).definitions.length === 0)) return note
  return { ...note, children: [...withText(children, usage)] }
}

function keyOf(definitions: readonly Node[], usage: Usage): string {
  return definitions
    .map((each) => {
      if (!usage.isShown(each)) return '-'
      const inner = (each.children ?? []).flatMap((child) => contentOf(child).definitions)
      return `+(${keyOf(inner, usage)})`
    })
    .join('')
}

/** Return a definition as it was written. */
function written(definition: Node, goesOn: boolean): Node[] {
  const { children = [], source = '', start } = definition
  const isNote = definition.type === 'footnoteDefinition'
  if (isNote && definition.goesOn === true) return children
  const [first, ...more] = children
  const end = isNote ? start + source.length : definition.end
  const line = isNote ? [{ type: 'text', value: `${source} `, start, end }] : inLinks(definition)
  const rest = first?.type === 'paragraph' ? more : children
  const joins = rest === more && first !== undefined
  const paragraph: Node = {
    type: 'paragraph',
    children: joins ? [...line, ...(first.children ?? [])] : line,
    ...(goesOn && { goesOn }),
    start,
    end: joins ? first.end : end,
  }
  return [paragraph, ...rest]
}

/** Return the source of a definition, in which an address is a link. */
function inLinks({ source = '', url = '', start, end }: Node): Node[] {
  const at = /^(?:https?:\/\/|mailto:)./.test(url) ? source.indexOf(url) : -1
  if (at === -1) return [{ type: 'text', value: source, start, end }]
  const text = (from: number, to: number): Node => {
    return { type: 'text', value: source.slice(from, to), start: start + from, end: start + to }
  }
  const after = at + url.length
  const link = { ...text(at, after), type: 'link', url, children: [text(at, after)] }
  return [text(0, at), link, ...(after < source.length ? [text(after, source.length)] : [])]
}
