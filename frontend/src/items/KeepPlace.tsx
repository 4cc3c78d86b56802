import { Component, type RefObject } from 'react'

interface KeepPlaceProps {
  scroller: RefObject<HTMLElement | null>
  /** The ID of the first item. */
  first: string | undefined
}

interface Anchor {
  element: Element
  top: number
}

/** Keeps the visible items in place when older items appear above them. */
export class KeepPlace extends Component<KeepPlaceProps, object, Anchor | null> {
  override getSnapshotBeforeUpdate(before: KeepPlaceProps): Anchor | null {
    return before.first === this.props.first ? null : anchorIn(this.props.scroller.current)
  }

  override componentDidUpdate(_: KeepPlaceProps, __: object, anchor: Anchor | null): void {
    const scroller = this.props.scroller.current
    if (anchor === null || scroller === null || !anchor.element.isConnected) return
    scroller.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top
  }

  override render(): null {
    return null
  }
}

/** Return the first visible item; sections out of view have no layout. */
function anchorIn(scroller: HTMLElement | null): Anchor | null {
  if (scroller === null) return null
  const { top } = scroller.getBoundingClientRect()
  const section = firstBelow(top, scroller.querySelectorAll('.section'))
  const element = section && firstBelow(top, section.querySelectorAll('.item'))
  return element ? { element, top: element.getBoundingClientRect().top } : null
}

/** Return the first element that ends below a line; the elements are in order. */
function firstBelow(line: number, elements: NodeListOf<Element>): Element | undefined {
  let from = 0
  let to = elements.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (elements.item(middle).getBoundingClientRect().bottom > line) to = middle
    else from = middle + 1
  }
  return elements[from]
}
