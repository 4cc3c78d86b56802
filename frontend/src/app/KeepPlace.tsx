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

/** Return the first item that is seen. */
function anchorIn(scroller: HTMLElement | null): Anchor | null {
  if (scroller === null) return null
  const { top } = scroller.getBoundingClientRect()
  const items = scroller.querySelectorAll('.item')
  let from = 0
  let to = items.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (items.item(middle).getBoundingClientRect().bottom > top) to = middle
    else from = middle + 1
  }
  const element = items[from]
  return element === undefined ? null : { element, top: element.getBoundingClientRect().top }
}
