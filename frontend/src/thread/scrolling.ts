/** Where a thread is scrolled to while it grows. */

/** How near to the end a person is who has scrolled down to it, in pixels. */
const NEAR = 24

/** How far below the top a message is that was just sent, in pixels. */
const ABOVE = 16

/** For how many milliseconds after a wheel, a finger or a key a scroll is the person's. */
const BY_HAND = 300

/** What stays in view: the end, the message that was sent last, or what the person has scrolled to. */
type Place = 'end' | 'message' | 'own'

const INPUTS = ['wheel', 'touchmove', 'pointerdown', 'pointermove', 'keydown'] as const

export class Scrolling {
  /** Whether to follow what is written, if one is at the end. */
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
    /** Told whether the end is far away. */
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

  /** Show the end, also when what is above it gets another height. */
  showEnd(): void {
    this.#keep(this.autoScroll || !this.isWriting ? 'end' : 'own')
    this.#hasRoom = false
    this.content.style.paddingBlockEnd = ''
    this.#toEnd()
    // What was far away and is now seen takes its real height.
    requestAnimationFrame(() => this.#toEnd())
  }

  /** Show the message that is sent: at the end, or at the top with room below for its answer. */
  showMessage(): void {
    if (this.autoScroll) {
      this.showEnd()
      return
    }
    this.#keep('message')
    this.#hasRoom = true
    this.#settle()
  }

  /** Something is written: unless it is to be followed, it moves nothing. */
  write(): void {
    if (!this.autoScroll && this.#place === 'end') this.#keep('own')
  }

  #keep(place: Place): void {
    this.#place = place
    this.#touchedAt = -Infinity
    // What is kept in view is not what the browser would keep.
    this.scroller.style.overflowAnchor = place === 'own' ? '' : 'none'
  }

  #settle(): void {
    // What is hidden has no place; it gets one when it is shown.
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
    const [top, rest, height, view] = [this.#top, this.#rest, this.#height, this.#view]
    this.#measure()
    const isByHand = performance.now() - this.#touchedAt < BY_HAND
    if (this.#place === 'end') {
      // A thread that gets shorter moves up, too, but not away from its end.
      if (this.#top < top && (isByHand || this.#rest >= 1)) this.#keep('own')
    } else if (this.#place === 'message') {
      // What moves while nothing has another size was scrolled by somebody, or by the browser to
      // what gets the focus.
      const isScrolled = this.#top !== top && this.#height === height && this.#view === view
      if (isByHand || isScrolled) this.#keep('own')
    } else if (this.autoScroll && this.#top > top) {
      const isNearer = this.#rest < NEAR && this.#rest < rest
      if (isNearer || this.#rest < 1) this.#keep('end')
    }
  }

  #touch = (event: Event): void => {
    // A pointer scrolls on the scroll bar, or with what it selects; a click on a button scrolls nothing.
    if (event.type === 'pointerdown' && event.target !== event.currentTarget) return
    if (event.type === 'pointermove' && (event as PointerEvent).buttons === 0) return
    this.#touchedAt = performance.now()
    if (event.type === 'wheel' && this.#place === 'end' && this.#goesUp(event as WheelEvent)) {
      // A wheel scrolls slowly at first, and what is written meanwhile would undo it.
      this.#keep('own')
    }
  }

  /** Whether a wheel scrolls the thread up, and not something within it. */
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

  /** Have the last message fit at the top, however little comes after it. */
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
