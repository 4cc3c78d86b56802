import type { Node } from './node'

const RIGHT_TO_LEFT =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\p{Script=Mandaic}\p{Script=Samaritan}]/u

/** Return the direction of a text's first letter outside of code, math and addresses. */
export function directionOf(node: Node): 'ltr' | 'rtl' | undefined {
  const letter = firstLetter(node, true) ?? firstLetter(node, false)
  if (letter === undefined) return undefined
  return RIGHT_TO_LEFT.test(letter) ? 'rtl' : 'ltr'
}

const NOT_WORDS = new Set(['inlineCode', 'code', 'inlineMath', 'math'])

function firstLetter(node: Node, isWordsOnly: boolean): string | undefined {
  if (isWordsOnly && (NOT_WORDS.has(node.type) || isAddress(node))) return undefined
  if (node.children === undefined) return /\p{L}/u.exec(node.value ?? '')?.[0]
  for (const child of node.children) {
    const letter = firstLetter(child, isWordsOnly)
    if (letter !== undefined) return letter
  }
  return undefined
}

/** Return whether the text of a link is its address. */
function isAddress(node: Node): boolean {
  const text = node.type === 'link' ? node.children?.[0]?.value : undefined
  return text !== undefined && node.children?.length === 1 && (node.url ?? '').endsWith(text)
}
