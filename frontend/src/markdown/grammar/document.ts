/** A text of Markdown that grows: what is new is parsed, and what is finished stays as it is. */

import { lineStart, type Block } from './block'
import { cutOf, type Tail } from './cuts'
import type { Known } from './labels'
import { walk, type Node } from './node'
import { parse } from './parse'

/** What labels stand for: definitions, and notes with a `^` before their label. */
export type References = ReadonlyMap<string, Node>

/** A mark at the end of words, of which it is not known yet whether more of it comes. */
const HALF_MARK = /(?<=[^\s*_~`])[*_~`]{1,3}$/

const START: Tail = { from: 0, prefix: '', continues: false }

export class MarkdownDocument {
  blocks: readonly Block[] = []
  references: References = new Map()
  #text = ''
  #isOpen = true
  /** Blocks that nothing may change but a label that they ask for, and what they define. */
  #done: Block[] = []
  #defined = new Map<string, Node>()
  /** What is parsed anew when the text grows. */
  #tail = START

  /** How much of the text is finished. */
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
    // The parser leaves out a mark of the order of bytes, which is one at the very beginning only.
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

  /** Parse a finished block anew, for the labels that it now knows. */
  #again(block: Block): Block {
    const [parsed] = this.#parse(block, block.to, false)
    // Where a list or code was cut, what was known of the whole is kept.
    const { spread, first, value } = block.node
    return parsed === undefined || block.node.type === 'code'
      ? block
      : {
          ...parsed,
          node: { ...parsed.node, ...(parsed.node.type === 'list' && { spread, first, value }) },
        }
  }

  /** Learn what the labels of the text stand for, and return those of which that has changed. */
  #refer(tail: readonly Block[]): Set<string> {
    const found = new Map(this.#defined)
    for (const block of tail) {
      // While it is being written, an address is not known.
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

/** A table that goes on is parsed with its head, which is drawn already. */
function withoutRows(node: Node, from: number): Node {
  if (node.type !== 'table') return node
  return { ...node, children: node.children?.filter((row) => row.start >= from) ?? [] }
}
