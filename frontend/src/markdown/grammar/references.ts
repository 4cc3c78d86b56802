import type { Node } from './node'

export function isDefinition({ type }: { type: string }): boolean {
  return type === 'definition' || type === 'footnoteDefinition'
}

export function labelOf({ type, identifier = '' }: Node): string {
  return type === 'definition' ? identifier : `^${identifier}`
}

/** The definitions and notes of a growing text by label; the labels of notes start with `^`. */
export class References {
  constructor(
    /** Those of finished blocks, shared by all versions of the text, and those of the rest. */
    readonly finished = new Map<string, Node>(),
    readonly rest: ReadonlyMap<string, Node> = new Map(),
  ) {}

  get(label: string): Node | undefined {
    const first = this.finished.get(label)
    const last = this.rest.get(label)
    return first === undefined || isLonger(last, first) ? last : first
  }

  has(label: string): boolean {
    return this.finished.has(label) || this.rest.has(label)
  }

  get isEmpty(): boolean {
    return this.finished.size + this.rest.size === 0
  }

  labels(): string[] {
    return [...new Set([...this.finished.keys(), ...this.rest.keys()])]
  }

  /** Replace a finished definition that was parsed again. */
  renew(label: string, node: Node): void {
    if (this.finished.get(label)?.start === node.start) this.finished.set(label, node)
  }

  /** Return the references with newly finished ones and another rest, and the labels that changed. */
  with(
    finished: ReadonlyMap<string, Node>,
    rest: ReadonlyMap<string, Node>,
  ): { references: References; changed: Set<string> } {
    const labels = new Set([...this.rest.keys(), ...finished.keys(), ...rest.keys()])
    const before = new Map([...labels].map((label) => [label, this.get(label)]))
    for (const [label, node] of finished) {
      const known = this.finished.get(label)
      if (known === undefined || isLonger(node, known)) this.finished.set(label, node)
    }
    const now = new References(this.finished, rest)
    const changed = new Set<string>()
    let hasNews = false
    for (const [label, old] of before) {
      const node = now.get(label)
      const isNote = label.startsWith('^')
      const isOther = isNote ? (old === undefined) !== (node === undefined) : !isSame(old, node)
      if (isOther) changed.add(label)
      // The text of a note may have changed.
      hasNews ||= isOther || (isNote && old !== node)
    }
    return { references: hasNews ? now : this, changed }
  }
}

/** Return whether a node is the same definition as another, with more of it. */
function isLonger(node: Node | undefined, than: Node): boolean {
  return node?.start === than.start
}

function isSame(a: Node | undefined, b: Node | undefined): boolean {
  return a?.url === b?.url && a?.title === b?.title
}
