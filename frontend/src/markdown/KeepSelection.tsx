import { Component, createRef, type ReactNode } from 'react'

/** The ends of a selection, each as the number of characters before it. */
interface Kept {
  anchor: number
  focus: number
}

/** Keeps the user's selection in a text when the text is rendered again. */
export class KeepSelection extends Component<{ children: ReactNode; className?: string }> {
  readonly #root = createRef<HTMLDivElement>()

  override getSnapshotBeforeUpdate(): Kept | null {
    const root = this.#root.current
    const selection = document.getSelection()
    if (root === null || selection === null || selection.isCollapsed) return null
    const anchor = placeOf(root, selection.anchorNode, selection.anchorOffset)
    const focus = placeOf(root, selection.focusNode, selection.focusOffset)
    return anchor === null || focus === null ? null : { anchor, focus }
  }

  override componentDidUpdate(_props: unknown, _state: unknown, kept: Kept | null): void {
    const root = this.#root.current
    const selection = document.getSelection()
    if (kept === null || root === null || selection === null) return
    const isThere =
      placeOf(root, selection.anchorNode, selection.anchorOffset) === kept.anchor &&
      placeOf(root, selection.focusNode, selection.focusOffset) === kept.focus
    if (isThere) return
    const [anchor, focus] = [pointAt(root, kept.anchor), pointAt(root, kept.focus)]
    if (anchor && focus)
      selection.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset)
  }

  override render() {
    return (
      <div ref={this.#root} className={this.props.className}>
        {this.props.children}
      </div>
    )
  }
}

function placeOf(root: Node, node: Node | null, offset: number): number | null {
  if (node === null || !root.contains(node)) return null
  const range = document.createRange()
  range.setStart(root, 0)
  range.setEnd(node, offset)
  return range.toString().length
}

function pointAt(root: Node, place: number): { node: Node; offset: number } | null {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  let left = place
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const { length } = node as Text
    if (left <= length) return { node, offset: left }
    left -= length
  }
  return null
}
