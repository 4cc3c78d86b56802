/** The syntax tree of a text: mdast, with elements in place of tags. */

export interface Node {
  type: string
  children?: Node[]
  value?: string
  /** The node's place in the text. */
  start: number
  end: number
  /** Of headings. */
  depth?: number
  /** Of links and images. */
  url?: string
  title?: string | null
  alt?: string | null
  /** The normalized label of a reference or a definition. */
  identifier?: string
  /** The label as it was written. */
  label?: string
  referenceType?: string
  /** Of lists and their items. */
  ordered?: boolean
  first?: number | null
  spread?: boolean
  checked?: boolean | null
  /** Of a later part of a long list: the list's first item. */
  leader?: Node
  /** Whether this block continues the previous one: a paragraph on its next line, or a part of a note. */
  goesOn?: boolean
  /** Of tables. */
  align?: (string | null)[]
  /** Of code. */
  lang?: string | null
  meta?: string | null
  /** The source of a formula, with its delimiters, of a definition, or of a note's label. */
  source?: string
  isDisplay?: boolean
  /** Of elements. */
  name?: string
  attributes?: Record<string, string>
  /** Of source marks. */
  number?: number
}

/** Return the words of a tree, without its markup. */
export function wordsOf(node: Node): string {
  if (node.type === 'break') return '\n'
  if (node.type === 'image') return node.alt ?? ''
  if (node.type === 'inlineMath' || node.type === 'math') return node.source ?? ''
  return node.value ?? node.children?.map(wordsOf).join('') ?? ''
}

export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node)
  for (const child of node.children ?? []) walk(child, visit)
}
