/** What goes in and out of the editor: plain text, and the tags that were taken from it. */

import type { Editor } from '@tiptap/core'
import { Fragment, type Slice } from '@tiptap/pm/model'
import type { EditorView } from '@tiptap/pm/view'

import { textContent, textOf, type Content } from '../chat/content'
import { contentOf, insert } from './document'
import { pastedText } from './pasted'

/** What was copied last. Tags come back from here alone: a page can put anything on a clipboard. */
let last: { text: string; content: Content } | null = null

export function copied({ content: fragment }: Slice, { state }: EditorView): string {
  const isLine = fragment.firstChild?.isInline !== true
  const line = state.schema.nodes['line']!
  const content = contentOf(isLine ? fragment : Fragment.from(line.create(null, fragment)))
  last = { text: textOf(content), content }
  return last.text
}

/** Paste files, if they are taken, or else text. */
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

/** Drop text; files are for the whole chat, and what is moved within the editor is its own. */
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
