import { Component, type RefObject } from 'react'

interface KeepPlaceProps {
  scroller: RefObject<HTMLElement | null>
  /** The id of the first item. */
  first: string | undefined
}

interface Anchor {
  element: Element
  top: number
}

/** Keeps what one reads where it is when items come in before it. */
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

/** Return the first item that is seen; of sections that are not, nothing is laid out. */
function anchorIn(scroller: HTMLElement | null): Anchor | null {
  if (scroller === null) return null
  const { top } = scroller.getBoundingClientRect()
  const section = firstBelow(top, scroller.querySelectorAll('.section'))
  const element = section && firstBelow(top, section.querySelectorAll('.item'))
  return element ? { element, top: element.getBoundingClientRect().top } : null
}

/** Return the first of some elements, one below the other, that ends below a line. */
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
