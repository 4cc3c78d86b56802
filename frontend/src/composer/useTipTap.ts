import { Editor } from '@tiptap/core'
import { EditorState, Selection, TextSelection } from '@tiptap/pm/state'
import { useEffectEvent, useLayoutEffect, useRef, type RefObject } from 'react'
import { flushSync } from 'react-dom'

import { copied, drop, paste } from './clipboard'
import type { Content } from '../chat/content'
import {
  contentOf,
  Document,
  History,
  Line,
  linesOf,
  positionIn,
  Tag,
  Text,
  type TagPlaces,
} from './document'
import type { Field } from './Editor'
import { caretIn, type Caret } from './plainField'

interface Hooks {
  onChange: (content: Content) => void
  onSelect: () => void
  onFocus: (isFocused: boolean) => void
  onBlur: () => void
  onKey: (event: KeyboardEvent) => boolean
  onFiles: ((files: FileList) => boolean) | undefined
}

/** Turn a field into an editor that keeps its content, caret and focus. */
export function useTipTap(
  field: Field,
  content: Content,
  places: TagPlaces,
  hooks: Hooks,
): RefObject<Editor | null> {
  const editor = useRef<Editor>(null)
  const latest = useEffectEvent(() => hooks)
  /** Show content from outside in place of the current one; this cannot be undone. */
  const show = useEffectEvent((written: Content) => {
    if (editor.current === null || written === field.reported.current) return
    field.reported.current = written
    replace(editor.current, written)
    hooks.onSelect()
  })
  const make = useEffectEvent((): Editor => {
    const element = field.element.current!
    field.reported.current ??= content
    const caret = caretIn(element)
    const { scrollTop } = element
    const made = editorOf(element, places, latest, (changed) => {
      field.reported.current = changed
      latest().onChange(changed)
    })
    editor.current = made
    takeOver(made, field.before.current, field.reported.current, caret)
    element.scrollTop = scrollTop
    return made
  })
  useLayoutEffect(() => show(content), [content])
  useLayoutEffect(() => {
    const made = make()
    return () => {
      editor.current = null
      made.destroy()
    }
  }, [])
  return editor
}

function editorOf(
  element: HTMLElement,
  places: TagPlaces,
  hooks: () => Hooks,
  onChange: (content: Content) => void,
): Editor {
  const editor: Editor = new Editor({
    element: { mount: element },
    injectCSS: false,
    enableInputRules: false,
    enablePasteRules: false,
    // A string would be parsed as HTML, which pages with Trusted Types forbid.
    content: { type: Document.name, content: [{ type: Line.name }] },
    extensions: [Document, Line, Text, Tag.configure({ places }), History],
    editorProps: {
      handleKeyDown: (_, event) => {
        // A key may arrive before the menu is updated for the typed text.
        flushSync(() => hooks().onSelect())
        return hooks().onKey(event)
      },
      clipboardTextSerializer: copied,
      handlePaste: (_, event) => paste(editor, event, hooks().onFiles),
      handleDrop: (view, event) => drop(editor, view, event),
    },
    onUpdate: () => onChange(contentOf(editor.state.doc.content)),
    onSelectionUpdate: () => hooks().onSelect(),
    onFocus: () => hooks().onFocus(true),
    onBlur: () => {
      hooks().onFocus(false)
      hooks().onBlur()
    },
  })
  return editor
}

/** Start with the field's content; the text typed there can be undone. */
function takeOver(editor: Editor, before: Content, content: Content, caret: Caret | null): void {
  replace(editor, before)
  const { state, view } = editor
  const change = state.tr
  if (content !== before)
    change.replaceWith(0, state.doc.content.size, linesOf(content, state.schema))
  const end = change.doc.content.size
  const { anchor, head } = caret ?? { anchor: end, head: end }
  const { doc } = change
  view.dispatch(
    change.setSelection(TextSelection.create(doc, positionIn(doc, anchor), positionIn(doc, head))),
  )
  if (document.activeElement !== view.dom) return
  view.focus()
  // The editor did not receive the field's focus event.
  view.dom.dispatchEvent(new FocusEvent('focus'))
}

/** Replace the whole content, and clear the undo history. */
function replace(editor: Editor, content: Content): void {
  const { schema, plugins } = editor.state
  const doc = schema.topNodeType.create(null, linesOf(content, schema))
  editor.view.updateState(EditorState.create({ doc, plugins, selection: Selection.atEnd(doc) }))
}
