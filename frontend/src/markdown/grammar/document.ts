/** A growing Markdown text: only new parts are parsed, and finished blocks stay as they are. */

import { lineStart, type Block } from './block'
import { breakOf, cutOf, hasOpenMath, START, type Cut, type Tail } from './cuts'
import { breakAfter, breakWithin, endOfLine, type Break } from './breaks'
import type { Failed } from './mathSyntax'
import { walk, type Node } from './node'
import { parse } from './parse'
import { isDefinition, labelOf, References } from './references'
import { reopening, withoutPrefix } from './reopen'
import { joined } from './view'

/** A delimiter after a word that may still grow. */
const HALF_MARK = /(?<=[^\s*_~`])[*_~`]{1,3}$/

/** The text between two lines of a paragraph, or between two parts of a line. */
const NEXT_LINE = /^[ \t]*(?:\r\n?|\n)?[ \t]*$/

/** The characters of a long text to parse at a time. */
const AT_ONCE = 8_000

export class MarkdownDocument {
  blocks: readonly Block[] = []
  references = new References()
  text = ''
  #isOpen = true
  /** Finished blocks, which change only with the labels they refer to. */
  #done: Block[] = []
  /** The part that is parsed again when the text grows. */
  #tail = START

  /** The length of the finished part of the text. */
  get finished(): number {
    return this.#tail.from
  }

  update(text: string, isOpen: boolean): void {
    if (!text.startsWith(this.text)) this.#grow('', true)
    // All of a long text would be parsed again after each break.
    for (let end = this.finished + AT_ONCE; end < text.length; ) {
      if (end > this.text.length) this.#grow(text.slice(0, end), true)
      end += Math.max(AT_ONCE, end - this.finished)
    }
    this.#grow(text, isOpen)
  }

  #grow(text: string, isOpen: boolean): void {
    if (text === this.text && isOpen === this.#isOpen) return
    if (!text.startsWith(this.text)) {
      this.#done = []
      this.references = new References()
      this.#tail = START
    }
    this.text = text
    this.#isOpen = isOpen
    let from = this.#tail.from
    for (;;) {
      const end = breakAfter(text, from)
      const { blocks: rest, failed } = this.#parse(
        this.#tail,
        end ?? text.length,
        isOpen && end === null,
      )
      const within = breakWithin(text, rest)
      if (within !== null) {
        const head = this.#parse(this.#tail, within.place, false).blocks
        this.#finish({ tail: this.#tailAfter(head, within), head, rest: [] })
        from = within.place
      } else if (end !== null) {
        const cut = breakOf(text, end, rest)
        if (cut !== null) this.#finish(cut)
        from = cut === null ? endOfLine(text, end) : end
      } else {
        const cut = cutOf(text, rest, failed) ?? { tail: this.#tail, head: [], rest }
        const shown = this.#finish(cut)
        this.blocks = [...this.#done, ...shown]
        return
      }
    }
  }

  /** Keep the finished blocks before a cut, and return the blocks after it. */
  #finish({ tail, head, rest }: Cut): readonly Block[] {
    this.#tail = tail
    const { changed, written } = this.#refer(head, rest)
    const again = new Set<Block>()
    const parseAgain = (block: Block): Block => {
      const parsed = this.#again(block)
      again.add(parsed)
      return parsed
    }
    for (const block of head) {
      // The parser took a definition or a formula that was being written for a whole one.
      const isWritten = asksFor(block, written) || hasOpenMath(this.text, block.node)
      this.#done.push(isWritten ? parseAgain(block) : block)
    }
    if (changed.size > 0) {
      this.#done = this.#done.map((block) => (asksFor(block, changed) ? parseAgain(block) : block))
    }
    const shown = rest.some((block) => asksFor(block, changed))
      ? this.#parse(tail, this.text.length, this.#isOpen).blocks
      : rest
    if (again.size > 0 || shown !== rest) {
      this.#renewNotes(again)
      this.#refer([], shown)
    }
    return shown
  }

  /** Replace the notes in finished blocks that were parsed again; a note may be in several blocks. */
  #renewNotes(again: ReadonlySet<Block>): void {
    for (const [index, block] of this.#done.entries()) {
      if (!again.has(block) || !holdsNote(block.node)) continue
      let first = index
      while (this.#done[first]?.continues === true) first--
      const end = this.#done.findIndex((each, at) => at > index && !each.continues)
      const notes = new Map<string, Node>()
      for (const each of this.#done.slice(first, end === -1 ? undefined : end))
        collect(each, notes, () => undefined)
      for (const [label, node] of notes) this.references.renew(label, node)
    }
  }

  /** Return the tail after a break within a block, whose containers go on. */
  #tailAfter(head: readonly Block[], { place, isInCode }: Break): Tail {
    const { from, prefix } = this.#tail
    const last = head.at(-1)
    const source = prefix + this.text.slice(from, place)
    const lines = last ? reopening(source, last.node, from - prefix.length, isInCode) : ''
    return { from: place, prefix: lines, continues: lines !== '' }
  }

  #parse(
    { from, prefix, continues, isInLine = false }: Tail,
    to: number,
    isOpen: boolean,
  ): { blocks: Block[]; failed: Failed[] } {
    const text = this.text.slice(from, to)
    const source = prefix + (isOpen ? text.replace(HALF_MARK, '') : text)
    // The parser drops a byte order mark at the start, but it is one only at the start of the text.
    const isMarked = source.startsWith('\ufeff')
    const base = from - prefix.length + (isMarked && from === 0 ? 1 : 0)
    const { children, asked, failed } = parse(isMarked && from > 0 ? `\ufeff${source}` : source, {
      known: this.references,
      isOpen,
      base,
    })
    const starts = children.map((node) => lineStart(this.text, node.start))
    let next = 0
    const blocks = children.map((node, index) => {
      const end = starts[index + 1] ?? Infinity
      const first = next
      while ((asked[next]?.at ?? Infinity) < end) next++
      return {
        from: index === 0 ? from : (starts[index] ?? from),
        to: Math.min(end, to),
        prefix: index === 0 ? prefix : '',
        node:
          index === 0 && prefix !== ''
            ? withoutPrefix(node, from)
            : this.#afterPart(node, index === 0 ? this.#done.at(-1)?.node : children[index - 1]),
        continues: continues && index === 0,
        isInLine: isInLine && index === 0,
        asked: new Set(asked.slice(first, next).map(({ label }) => label)),
      }
    })
    return { blocks, failed }
  }

  /** Return a block, which goes on from the one before if both are parts of an overlong paragraph. */
  #afterPart(node: Node, before: Node | undefined): Node {
    if (node.type !== 'paragraph' || before?.type !== 'paragraph') return node
    const isNext = NEXT_LINE.test(this.text.slice(before.end, node.start))
    return isNext ? { ...node, goesOn: true } : node
  }

  /** Parse a finished block again, because labels in it have changed. */
  #again(block: Block): Block {
    // Definitions before a heading are in its source.
    const parsed = this.#parse(block, block.to, false).blocks.find(
      ({ node }) => node.type === block.node.type && node.start === block.node.start,
    )
    // If a list or code was cut, keep the properties of the whole.
    const { type, spread, first, value, goesOn } = block.node
    if (parsed === undefined || type === 'code') return block
    const known = type === 'list' ? { spread, first, value } : type === 'paragraph' && { goesOn }
    return { ...parsed, node: { ...parsed.node, ...known } }
  }

  /** Collect the definitions in new blocks, and return the labels that changed or are being written. */
  #refer(
    finished: readonly Block[],
    rest: readonly Block[],
  ): { changed: Set<string>; written: Set<string> } {
    const done = new Map<string, Node>()
    const before = (label: string): Node | undefined =>
      done.get(label) ?? this.references.finished.get(label)
    for (const block of finished) collect(block, done, before)
    const open = new Map<string, Node>()
    const written = new Map<string, Node>()
    for (const block of rest) {
      // The address in a definition is unknown while it is being written.
      const isWritten = this.#isOpen && block === rest.at(-1) && !this.text.endsWith('\n')
      const isKnown = !isWritten || block.node.type === 'footnoteDefinition'
      collect(block, isKnown ? open : written, before)
    }
    const { references, changed } = this.references.with(done, open)
    this.references = references
    const unknown = [...written.keys()].filter((label) => !references.has(label))
    return { changed, written: new Set(unknown) }
  }
}

function asksFor(block: Block, labels: ReadonlySet<string>): boolean {
  if (block.asked.size > labels.size) return [...labels].some((label) => block.asked.has(label))
  return [...block.asked].some((label) => labels.has(label))
}

function holdsNote({ type, children = [] }: Node): boolean {
  return type === 'footnoteDefinition' || children.some(holdsNote)
}

/** Add the definitions in a block to others; a note may go on from one before it. */
function collect(
  { node, from }: Block,
  into: Map<string, Node>,
  before: (label: string) => Node | undefined,
): void {
  walk(node, (each) => {
    if (each.identifier === undefined || !isDefinition(each)) return
    const label = labelOf(each)
    const known = into.get(label) ?? before(label)
    const goesOn = each.type === 'footnoteDefinition' && each.start < from
    if (goesOn && known !== undefined) {
      into.set(
        label,
        joined([
          { node: known, from: known.start },
          { node: each, from },
        ]),
      )
    } else if (!into.has(label)) into.set(label, each)
  })
}
