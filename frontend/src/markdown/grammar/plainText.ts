/** The words of a Markdown text. */

import { MarkdownDocument } from './document'
import { wordsOf, type Node } from './node'
import { viewOf } from './view'

const HOLDS_BLOCKS = new Set(['blockquote', 'list', 'listItem', 'table', 'element'])

/** Return the words of Markdown without its markup, for reading aloud. */
export function plainText(text: string): string {
  const document = new MarkdownDocument()
  document.update(text, false)
  const { references } = document
  const notes = references.notes().flatMap((label) => references.get(label)?.children ?? [])
  return [...viewOf(document.blocks, false), ...notes].map(blockText).filter(Boolean).join('\n')
}

function blockText(node: Node): string {
  if (node.type === 'tableRow') return (node.children ?? []).map(wordsOf).join(', ')
  if (node.type === 'footnoteDefinition') return ''
  if (HOLDS_BLOCKS.has(node.type) && node.children?.some(isBlock)) {
    return (node.children ?? []).map(blockText).filter(Boolean).join('\n')
  }
  return wordsOf(node)
}

function isBlock(node: Node): boolean {
  return (
    HOLDS_BLOCKS.has(node.type) ||
    ['paragraph', 'heading', 'code', 'math', 'tableRow'].includes(node.type)
  )
}
