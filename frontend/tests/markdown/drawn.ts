import { MarkdownDocument } from '../../src/markdown/grammar/document'
import type { Node } from '../../src/markdown/grammar/node'
import { viewOf } from '../../src/markdown/grammar/view'

const SHORT: Record<string, string> = {
  paragraph: 'p',
  emphasis: 'em',
  strong: 'b',
  delete: 'del',
  inlineCode: 'code',
  code: 'pre',
  listItem: 'li',
  blockquote: 'quote',
  inlineMath: 'math',
  tableRow: 'tr',
  tableCell: 'td',
  footnoteReference: 'note',
}

/** Return a short form of a tree, such as `p(text b(bold))`. */
export function inShort(nodes: readonly Node[] | undefined): string {
  return (nodes ?? []).map(nodeInShort).join('')
}

function nodeInShort(node: Node): string {
  const { type, value = '', children } = node
  if (type === 'definition' || type === 'footnoteDefinition') return ''
  if (type === 'text') return value
  if (type === 'break') return '⏎'
  if (type === 'thematicBreak') return '―'
  const name = type === 'element' ? node.name : type === 'heading' ? `h${node.depth}` : SHORT[type]
  const more = type === 'link' || type === 'image' ? ` ${node.url}` : ''
  return `‹${name ?? type}${more}:${node.alt ?? ''}${children ? inShort(children) : value}›`
}

export function drawnAtOnce(text: string): string {
  const document = new MarkdownDocument()
  document.update(text, false)
  return inShort(viewOf(document, false).blocks)
}

/** Return the final short form of a text that arrives in pieces of a given length. */
export function drawnInPieces(text: string, size: number): string {
  const document = new MarkdownDocument()
  for (let end = size; end < text.length; end += size) document.update(text.slice(0, end), true)
  document.update(text, false)
  return inShort(viewOf(document, false).blocks)
}
