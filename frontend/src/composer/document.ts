/** The document of the editor: lines of text and tags. */

import { Extension, Node, type Editor } from '@tiptap/core'
import { history, redo, undo } from '@tiptap/pm/history'
import { Fragment, Slice, type Node as DocumentNode, type Schema } from '@tiptap/pm/model'
import { Plugin, Selection } from '@tiptap/pm/state'

import { Store } from '../chat/store'
import type { Content, TagPart } from '../chat/content'

export const Document = Node.create({ name: 'doc', topNode: true, content: 'line+' })

export const Text = Node.create({ name: 'text', group: 'inline' })

export const Line = Node.create({
  name: 'line',
  content: 'inline*',
  renderHTML: () => ['p', { dir: 'auto' }, 0],
  addKeyboardShortcuts() {
    return { 'Shift-Enter': () => this.editor.commands.splitBlock() }
  },
})

/** The place of a tag in the document, where React renders it. */
export interface TagPlace {
  element: HTMLElement
  tag: TagPart
}

export class TagPlaces extends Store<{ places: readonly TagPlace[] }> {
  constructor() {
    super({ places: [] })
  }

  add(place: TagPlace): () => void {
    this.set({ places: [...this.get().places, place] })
    return () => this.set({ places: this.get().places.filter((each) => each !== place) })
  }
}

export const Tag = Node.create<{ places: TagPlaces }>({
  name: 'tag',
  group: 'inline',
  inline: true,
  atom: true,
  selectable: true,
  addOptions: () => ({ places: new TagPlaces() }),
  addAttributes: () => ({ tag: { rendered: false } }),
  renderHTML: ({ node }) => ['span', `@${(node.attrs['tag'] as TagPart).text}`],
  addNodeView() {
    return ({ node }) => {
      const element = document.createElement('span')
      const remove = this.options.places.add({ element, tag: node.attrs['tag'] as TagPart })
      return {
        dom: element,
        destroy: remove,
        ignoreMutation: () => true,
        // Buttons in the text handle their own events.
        stopEvent: ({ target }) => target instanceof Element && target.closest('button') !== null,
      }
    }
  },
})

/** Undo and redo, in place of the browser's own, which knows only the plain field. */
export const History = Extension.create({
  name: 'history',
  addProseMirrorPlugins: () => [
    history(),
    new Plugin({
      props: {
        handleDOMEvents: {
          beforeinput(view, event) {
            const command = { historyUndo: undo, historyRedo: redo }[event.inputType]
            if (command === undefined) return false
            event.preventDefault()
            return command(view.state, view.dispatch) || true
          },
        },
      },
    }),
  ],
  addKeyboardShortcuts() {
    const run = (command: typeof undo) => () =>
      command(this.editor.state, this.editor.view.dispatch) || true
    return { 'Mod-z': run(undo), 'Shift-Mod-z': run(redo), 'Mod-y': run(redo) }
  },
})

/** Convert content to lines. */
export function linesOf(content: Content, schema: Schema): DocumentNode[] {
  const lines: DocumentNode[][] = [[]]
  for (const part of content) {
    if (part.type === 'input_tag') {
      lines.at(-1)?.push(schema.nodes['tag']!.create({ tag: part }))
      continue
    }
    part.text.split(/\r\n?|\n/).forEach((text, index) => {
      if (index > 0) lines.push([])
      if (text !== '') lines.at(-1)?.push(schema.text(text))
    })
  }
  return lines.map((line) => schema.nodes['line']!.create(null, line))
}

/** Convert lines to content. */
export function contentOf(lines: Fragment): Content {
  const content: Content[number][] = []
  let text = ''
  lines.forEach((line, _, index) => {
    if (index > 0) text += '\n'
    line.forEach((node) => {
      if (node.isText) {
        text += node.text ?? ''
        return
      }
      if (text !== '') content.push({ type: 'input_text', text })
      text = ''
      content.push(node.attrs['tag'] as TagPart)
    })
  })
  if (text !== '') content.push({ type: 'input_text', text })
  return content
}

/** Return the position in a document after a number of characters and tags. */
export function positionIn(doc: DocumentNode, characters: number): number {
  let position = 0
  let rest = characters
  for (const line of doc.children) {
    if (rest <= line.content.size) return position + 1 + rest
    rest -= line.content.size + 1
    position += line.nodeSize
  }
  return position - 1
}

/** Replace the selection, or a range, with content. */
export function insert(
  editor: Editor,
  content: Content,
  range: { from: number; to: number } = editor.state.selection,
): void {
  const { state, view } = editor
  const lines = Fragment.from(linesOf(content, state.schema))
  const change = state.tr.replace(range.from, range.to, new Slice(lines, 1, 1))
  const end = change.doc.resolve(change.mapping.map(range.to))
  view.dispatch(change.setSelection(Selection.near(end, -1)).scrollIntoView())
}
