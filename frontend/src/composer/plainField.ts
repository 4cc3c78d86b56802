/** The field before the editor has loaded: it holds text, and tags that can only be removed. */

import { noContent, spaced, TAG, type Content, type TagPart } from '../chat/content'

/** The position of the caret, in characters; a tag counts as one. */
export interface Caret {
  anchor: number
  head: number
}

const tags = new WeakMap<Node, TagPart>()

/** Replace the whole content. */
export function write(field: HTMLElement, content: Content): void {
  const text = content.at(-1)?.type === 'input_text' ? content.at(-1)?.text : ''
  field.replaceChildren(
    ...content.map((part) =>
      part.type === 'input_tag' ? tagElement(part) : part.text.replaceAll(/\r\n?/g, '\n'),
    ),
    // Browsers do not show an empty line after the last line break.
    ...(/[\r\n]$/.test(text ?? '') ? ['\n'] : []),
  )
}

function tagElement(tag: TagPart): HTMLElement {
  const element = document.createElement('span')
  element.className = 'tag'
  element.contentEditable = 'false'
  element.textContent = `@${tag.text}`
  tags.set(element, tag)
  return element
}

export function read(field: HTMLElement): Content {
  const content: Content[number][] = []
  let text = ''
  const put = (): void => {
    if (text !== '') content.push({ type: 'input_text', text })
    text = ''
  }
  const visit = (node: Node): void => {
    const tag = tags.get(node)
    if (tag !== undefined) {
      put()
      content.push(tag)
    } else if (node.nodeName === 'BR') text += '\n'
    else if (node.nodeType === Node.TEXT_NODE) text += node.nodeValue ?? ''
    else node.childNodes.forEach(visit)
  }
  field.childNodes.forEach(visit)
  text = text.replace(/\n$/, '')
  put()
  return content.length === 0 ? noContent : content
}

/** Return the caret's position, or `null` if it is elsewhere in the page. */
export function caretIn(field: HTMLElement): Caret | null {
  const {
    anchorNode = null,
    anchorOffset = 0,
    focusNode = null,
    focusOffset = 0,
  } = getSelection() ?? {}
  if (!field.contains(anchorNode) || !field.contains(focusNode)) return null
  return {
    anchor: textUntil(field, anchorNode!, anchorOffset).length,
    head: textUntil(field, focusNode!, focusOffset).length,
  }
}

function textUntil(field: HTMLElement, node: Node, offset: number): string {
  const range = new Range()
  range.setStart(field, 0)
  range.setEnd(node, offset)
  const before = range.cloneContents()
  for (const tag of before.querySelectorAll('.tag')) tag.replaceWith(TAG)
  for (const end of before.querySelectorAll('br')) end.replaceWith('\n')
  return before.textContent ?? ''
}

/** Focus the field, with the caret at its last position, or else at the end. */
export function focus(field: HTMLElement): void {
  const hasCaret = caretIn(field) !== null
  field.focus()
  if (hasCaret) return
  getSelection()?.selectAllChildren(field)
  getSelection()?.collapseToEnd()
}

/** Focus the field, and insert text at the caret. */
export function type(field: HTMLElement, text: string): void {
  focus(field)
  const { focusNode = null, focusOffset = 0 } = getSelection() ?? {}
  const before = focusNode === null ? '' : textUntil(field, focusNode, focusOffset)
  document.execCommand('insertText', false, spaced(before, text))
}
