/** A growing Markdown text: only new parts are parsed, and finished blocks stay as they are. */

import { lineStart, type Block } from './block'
import { cutOf, type Tail } from './cuts'
import type { Known } from './labels'
import { walk, type Node } from './node'
import { parse } from './parse'

/** Definitions and notes by label; the labels of notes start with `^`. */
export type References = ReadonlyMap<string, Node>

/** A delimiter after a word that may still grow. */
const HALF_MARK = /(?<=[^\s*_~`])[*_~`]{1,3}$/

const START: Tail = { from: 0, prefix: '', continues: false }

export class MarkdownDocument {
  blocks: readonly Block[] = []
  references: References = new Map()
  #text = ''
  #isOpen = true
  /** Finished blocks, which change only with the labels they refer to, and their definitions. */
  #done: Block[] = []
  #defined = new Map<string, Node>()
  /** The part that is parsed again when the text grows. */
  #tail = START

  /** The length of the finished part of the text. */
  get finished(): number {
    return this.#tail.from
  }

  update(text: string, isOpen: boolean): void {
    if (text === this.#text && isOpen === this.#isOpen) return
    if (!text.startsWith(this.#text)) {
      this.#done = []
      this.#defined = new Map()
      this.references = this.#defined
      this.#tail = START
    }
    this.#text = text
    this.#isOpen = isOpen
    let tail = this.#parse(this.#tail, text.length, isOpen)
    const changed = this.#refer(tail)
    if (changed.size > 0) {
      this.#done = this.#done.map((block) => (asksFor(block, changed) ? this.#again(block) : block))
      if (tail.some((block) => asksFor(block, changed)))
        tail = this.#parse(this.#tail, text.length, isOpen)
    }
    const cut = cutOf(text, this.#tail, tail)
    if (cut !== null) {
      for (const block of cut.head) collect(block, this.#defined)
      this.#done = [...this.#done, ...cut.head]
      this.#tail = cut.tail
      tail = cut.rest
    }
    this.blocks = [...this.#done, ...tail]
  }

  #parse({ from, prefix, continues }: Tail, to: number, isOpen: boolean): Block[] {
    const text = this.#text.slice(from, to)
    const source = prefix + (isOpen ? text.replace(HALF_MARK, '') : text)
    // The parser drops a byte order mark at the start, but it is one only at the start of the text.
    const isMarked = source.startsWith('\ufeff')
    const base = from - prefix.length + (isMarked && from === 0 ? 1 : 0)
    const { children, asked } = parse(isMarked && from > 0 ? `\ufeff${source}` : source, {
      known: knownOf(this.references),
      isOpen,
      base,
    })
    const starts = children.map((node) => lineStart(this.#text, node.start))
    return children.map((node, index) => ({
      from: index === 0 ? from : (starts[index] ?? from),
      to: starts[index + 1] ?? to,
      prefix: index === 0 ? prefix : '',
      node: index === 0 && prefix !== '' ? withoutRows(node, from) : node,
      continues: continues && index === 0,
      asked,
    }))
  }

  /** Parse a finished block again, because labels in it have changed. */
  #again(block: Block): Block {
    const [parsed] = this.#parse(block, block.to, false)
    // If a list or code was cut, keep the properties of the whole.
    const { spread, first, value } = block.node
    return parsed === undefined || block.node.type === 'code'
      ? block
      : {
          ...parsed,
          node: { ...parsed.node, ...(parsed.node.type === 'list' && { spread, first, value }) },
        }
  }

  /** Collect the definitions of the text's labels, and return the labels that changed. */
  #refer(tail: readonly Block[]): Set<string> {
    const found = new Map(this.#defined)
    for (const block of tail) {
      // The address in a definition is unknown while it is being written.
      const isWritten = this.#isOpen && block === tail.at(-1) && !this.#text.endsWith('\n')
      if (!isWritten || block.node.type === 'footnoteDefinition') collect(block, found)
    }
    const changed = new Set<string>()
    for (const label of new Set([...found.keys(), ...this.references.keys()])) {
      const [before, now] = [this.references.get(label), found.get(label)]
      const isNote = label.startsWith('^')
      if (isNote ? (before === undefined) !== (now === undefined) : !isSame(before, now))
        changed.add(label)
    }
    if (
      changed.size > 0 ||
      [...found].some(([label, node]) => this.references.get(label) !== node)
    ) {
      this.references = found
    }
    return changed
  }
}

function isSame(a: Node | undefined, b: Node | undefined): boolean {
  return a?.url === b?.url && a?.title === b?.title
}

function asksFor(block: Block, labels: ReadonlySet<string>): boolean {
  return block.asked.size > 0 && [...labels].some((label) => block.asked.has(label))
}

function collect({ node }: Block, into: Map<string, Node>): void {
  walk(node, (each) => {
    if (each.identifier === undefined) return
    const label = each.type === 'definition' ? each.identifier : `^${each.identifier}`
    const isDefined = each.type === 'definition' || each.type === 'footnoteDefinition'
    if (isDefined && !into.has(label)) into.set(label, each)
  })
}

function knownOf(references: References): Known {
  const links = new Set<string>()
  const notes = new Set<string>()
  for (const label of references.keys()) {
    if (label.startsWith('^')) notes.add(label.slice(1))
    else links.add(label)
  }
  return { links, notes }
}

/** Remove the head of a continued table, which is parsed again but already rendered. */
function withoutRows(node: Node, from: number): Node {
  if (node.type !== 'table') return node
  return { ...node, children: node.children?.filter((row) => row.start >= from) ?? [] }
}
