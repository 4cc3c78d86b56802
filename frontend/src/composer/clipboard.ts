/** Copy, paste and drop in the editor: plain text, and tags copied from it. */

import type { Editor } from '@tiptap/core'
import { Fragment, type Slice } from '@tiptap/pm/model'
import type { EditorView } from '@tiptap/pm/view'

import { textContent, textOf, type Content } from '../chat/content'
import { contentOf, insert } from './document'
import { pastedText } from './pasted'

/** The content copied last. Pasting restores only its tags: any page can write to the clipboard. */
let last: { text: string; content: Content } | null = null

export function copied({ content: fragment }: Slice, { state }: EditorView): string {
  const isLine = fragment.firstChild?.isInline !== true
  const line = state.schema.nodes['line']!
  const content = contentOf(isLine ? fragment : Fragment.from(line.create(null, fragment)))
  last = { text: textOf(content), content }
  return last.text
}

/** Paste files, if they are accepted, or else text. */
export function paste(
  editor: Editor,
  { clipboardData }: ClipboardEvent,
  onFiles: ((files: FileList) => boolean) | undefined,
): boolean {
  if (clipboardData === null) return false
  const text = pastedText(clipboardData, onFiles)
  if (text !== null) insert(editor, text === last?.text ? last.content : textContent(text))
  return true
}

/** Drop text; the chat handles files, and the editor moves its own content. */
export function drop(editor: Editor, view: EditorView, event: DragEvent): boolean {
  if (view.dragging !== null) return false
  const text = event.dataTransfer?.getData('text/plain') ?? ''
  const place = view.posAtCoords({ left: event.clientX, top: event.clientY })
  if (text !== '' && event.dataTransfer?.files.length === 0 && place !== null) {
    event.preventDefault()
    insert(editor, textContent(text.replaceAll(/\r\n?/g, '\n')), { from: place.pos, to: place.pos })
  }
  return true
}
