/** The visible text of a tree: its words, and what the page shows in place of the rest. */

import { MarkdownDocument } from '../../src/markdown/grammar/document'
import { walk, type Node } from '../../src/markdown/grammar/node'
import { viewOf } from '../../src/markdown/grammar/view'

export interface Shown {
  /** The visible text, with the TeX of each formula. */
  seen: string
  /** The copied text, with the source of each formula. */
  copied: string
  formulas: number
}

export function shownOf(text: string): Shown {
  const document = new MarkdownDocument()
  document.update(text, false)
  const { blocks, notes } = viewOf(document, false)
  const labels = [...notes.keys()]
  const noted = [...notes.values()].flatMap(({ children = [] }) => children)
  const numberOf = ({ identifier = '', label }: Node): string =>
    notes.has(identifier) ? String(labels.indexOf(identifier) + 1) : `[^${label}]`
  const words = (node: Node, isSource: boolean): string => {
    const { type, value = '', children = [] } = node
    const inner = (): string => children.map((child) => words(child, isSource)).join('')
    if (type === 'inlineMath' || type === 'math') return (isSource ? node.source : value) ?? ''
    if (type === 'footnoteReference') return numberOf(node)
    if (type === 'definition' || type === 'footnoteDefinition') return ''
    if (type === 'image' || type === 'imageReference') return `Image not shown: ${node.alt}`
    if (type === 'break') return '\n'
    if (type === 'inlineCode') return value.replaceAll('\n', ' ')
    if (type === 'tableCell') return `${inner()}\t`
    const isLink = type === 'link' && /^(?!(?:https?|mailto|tel):)[a-z]+:|^$/i.test(node.url ?? '')
    if (isLink) return `${inner()} (link blocked)`
    const isInline = /^(?:text|emphasis|strong|delete|link|linkReference)$/.test(type)
    const isLine = type === 'element' && /^(?:sub|sup|kbd|b|i|u|mark|a)$/.test(node.name ?? '')
    if (isInline || isLine) return value || inner()
    return `\n${value || inner()}\n`
  }
  let formulas = 0
  for (const node of [...blocks, ...noted])
    walk(node, ({ type }) => (formulas += type === 'math' || type === 'inlineMath' ? 1 : 0))
  const all = (isSource: boolean): string =>
    inLines([...blocks, ...noted].map((node) => words(node, isSource)).join(''))
  return { seen: all(false), copied: all(true), formulas }
}

/** Return a text without blank lines and needless spaces. */
export function inLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n')
}
