/** The scroll position of a thread while it grows. */

/** The distance to the end, in pixels, that still counts as the end. */
const NEAR = 24

/** The space above a message that was just sent, in pixels. */
const ABOVE = 16

/** Milliseconds after input for which a scroll counts as the user's. */
const BY_HAND = 300

/** What stays in view: the end, the last sent message, or the place the user scrolled to. */
type Place = 'end' | 'message' | 'own'

const INPUTS = ['wheel', 'touchmove', 'pointerdown', 'pointermove', 'keydown'] as const

export class Scrolling {
  /** Whether to follow the answer at the end of the thread. */
  autoScroll = false
  isWriting = false
  #place: Place = 'end'
  /** Whether there is room below the last message for its answer. */
  #hasRoom = false
  #top = 0
  #rest = 0
  #height = 0
  #view = 0
  #touchedAt = -Infinity
  #observer = new ResizeObserver(() => this.#settle())

  constructor(
    readonly scroller: HTMLElement,
    readonly content: HTMLElement,
    /** Called with whether the end is far away. */
    readonly onAway: (isAway: boolean) => void,
  ) {
    this.#observer.observe(scroller)
    this.#observer.observe(content)
    for (const name of INPUTS) scroller.addEventListener(name, this.#touch, { passive: true })
    scroller.addEventListener('scroll', this.#look, { passive: true })
  }

  stop(): void {
    this.#observer.disconnect()
    for (const name of INPUTS) this.scroller.removeEventListener(name, this.#touch)
    this.scroller.removeEventListener('scroll', this.#look)
  }

  /** Show the end, and keep it in view when items above it change their height. */
  showEnd(): void {
    this.#keep(this.autoScroll || !this.isWriting ? 'end' : 'own')
    this.#hasRoom = false
    this.content.style.paddingBlockEnd = ''
    this.#toEnd()
    // Items that come into view take their real height.
    requestAnimationFrame(() => this.#toEnd())
  }

  /** Show the message that was sent: at the end, or at the top with room below for its answer. */
  showMessage(): void {
    if (this.autoScroll) {
      this.showEnd()
      return
    }
    this.#keep('message')
    this.#hasRoom = true
    this.#settle()
  }

  /** Prepare for an answer's text; unless the thread follows it, nothing moves. */
  write(): void {
    if (!this.autoScroll && this.#place === 'end') this.#keep('own')
  }

  #keep(place: Place): void {
    this.#place = place
    this.#touchedAt = -Infinity
    // The browser's scroll anchoring would keep something else in view.
    this.scroller.style.overflowAnchor = place === 'own' ? '' : 'none'
  }

  #settle(): void {
    // A hidden thread has no scroll position; it gets one when it is shown.
    if (this.scroller.clientHeight > 0) {
      if (this.#hasRoom) this.#makeRoom()
      if (this.#place === 'message') this.#to(this.#topOfMessage())
      if (this.#place === 'end') this.#toEnd()
    }
    this.#measure()
  }

  #to(top: number): void {
    this.scroller.scrollTo({ top, behavior: 'instant' })
  }

  #toEnd(): void {
    this.#to(this.scroller.scrollHeight)
    this.#measure()
  }

  #measure(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller
    this.#top = scrollTop
    this.#rest = scrollHeight - scrollTop - clientHeight
    this.#height = scrollHeight
    this.#view = clientHeight
    this.onAway(this.#rest > clientHeight / 2)
  }

  #look = (): void => {
    const [top, height, view] = [this.#top, this.#height, this.#view]
    this.#measure()
    const isByHand = performance.now() - this.#touchedAt < BY_HAND
    if (this.#place === 'end') {
      // A thread that gets shorter scrolls up too, but not away from its end.
      if (this.#top < top && (isByHand || this.#rest >= 1)) this.#keep('own')
    } else if (this.#place === 'message') {
      // If the position changes while all sizes stay the same, the user scrolled, or the browser
      // did to show the focused element.
      const isScrolled = this.#top !== top && this.#height === height && this.#view === view
      if (isByHand || isScrolled) this.#keep('own')
    } else if (this.autoScroll && this.#top > top) {
      // Text may have been added since the user saw the end.
      const seen = Math.min(height, this.#height)
      if (seen - this.#top - this.#view < NEAR) this.#keep('end')
    }
  }

  #touch = (event: Event): void => {
    // A pointer scrolls by the scroll bar or by selecting; a click on a button does not scroll.
    if (event.type === 'pointerdown' && event.target !== event.currentTarget) return
    if (event.type === 'pointermove' && (event as PointerEvent).buttons === 0) return
    this.#touchedAt = performance.now()
    if (event.type === 'wheel' && this.#place === 'end' && this.#goesUp(event as WheelEvent)) {
      // A wheel scrolls slowly at first, so new text would undo it.
      this.#keep('own')
    }
  }

  /** Return whether a wheel scrolls the thread up, not something inside it. */
  #goesUp({ deltaY, ctrlKey, target }: WheelEvent): boolean {
    if (deltaY >= 0 || ctrlKey || this.scroller.scrollTop === 0) return false
    for (
      let element = target as Element | null;
      element !== null && element !== this.scroller;
      element = element.parentElement
    ) {
      const isScroller = /auto|scroll/.test(getComputedStyle(element).overflowY)
      if (isScroller && element.scrollTop > 0) return false
    }
    return true
  }

  /** Add room at the end, so that the last sent message can be at the top. */
  #makeRoom(): void {
    const { scroller, content } = this
    const padding = parseFloat(getComputedStyle(content).paddingBlockEnd)
    const room = this.#topOfMessage() + scroller.clientHeight - scroller.scrollHeight + padding
    content.style.paddingBlockEnd = `max(var(--thread-end), ${room}px)`
  }

  #topOfMessage(): number {
    const messages = this.content.querySelectorAll('.item.user, .item:has(> .user)')
    const last = messages[messages.length - 1]
    if (last === undefined) return 0
    const top = last.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top
    return Math.max(0, top + this.scroller.scrollTop - ABOVE)
  }
}
