/** The words of Markdown. */

import type { MarkdownDocument } from './document'
import { wordsOf, type Node } from './node'
import { viewOf } from './view'

const HOLDS_BLOCKS = new Set(['blockquote', 'list', 'listItem', 'table', 'element'])

/** Return a document's words without their markup, for reading aloud. */
export function plainText(document: MarkdownDocument): string {
  const { blocks, notes } = viewOf(document, false)
  const noted = [...notes.values()].flatMap(({ children = [] }) => children)
  return [...blocks, ...noted].map(blockText).filter(Boolean).join('\n')
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
