/** Moves the focus to a sensible place when the control that has it disappears. */

import { announce } from '../chat/announce'

const CONTROLS = 'a[href], button, input, select, textarea, [tabindex]'

/**
 * Keep the focus in the page, and return a function that stops this.
 *
 * The focus goes to the control of the same name that replaces the other, or to the widget around
 * it; without one, `onLost` is called.
 */
export function keepFocus(onLost: () => void): () => void {
  /** The control that has the focus, or had it until it disappeared, and its widget. */
  let last: HTMLElement | null = null
  let widget: HTMLElement | null = null
  const added: Node[] = []
  let timer: ReturnType<typeof setTimeout> | undefined

  const restore = (): void => {
    timer = undefined
    const lost = last
    const replacements = added.splice(0)
    const { activeElement: now } = document
    if (lost === null || canHaveFocus(lost)) return
    last = null
    const isElsewhere = now !== null && now !== document.body && now !== lost
    if (isElsewhere || !document.hasFocus()) return
    const replacement = replacementOf(lost, replacements)
    if (replacement !== undefined) {
      replacement.focus({ preventScroll: true })
    } else if (widget?.isConnected === true) {
      widget.focus({ preventScroll: true })
      announce(widget.innerText)
    } else {
      onLost()
    }
  }
  const observer = new MutationObserver((records) => {
    if (last === null || canHaveFocus(last)) return
    added.push(...records.flatMap((record) => [...record.addedNodes]))
    // Menus and dialogs return the focus themselves, before this.
    timer ??= setTimeout(restore)
  })
  const onFocus = ({ target }: FocusEvent): void => {
    observer.disconnect()
    last = null
    // Observing an answer costs time. Most users are in the composer, which does not disappear.
    if (!(target instanceof HTMLElement) || target.isContentEditable) return
    last = target
    widget = target.closest<HTMLElement>('.widget')
    const attributeFilter = ['disabled', 'inert', 'hidden']
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter })
  }
  const onBlur = (): void => {
    queueMicrotask(() => {
      // The user left the control, which is still there.
      if (document.activeElement === document.body && last !== null && canHaveFocus(last))
        last = null
    })
  }
  document.addEventListener('focusin', onFocus)
  document.addEventListener('focusout', onBlur)
  return () => {
    observer.disconnect()
    clearTimeout(timer)
    document.removeEventListener('focusin', onFocus)
    document.removeEventListener('focusout', onBlur)
  }
}

function canHaveFocus(element: HTMLElement): boolean {
  return (
    element.isConnected && !element.matches(':disabled') && !element.closest('[inert], [hidden]')
  )
}

/** Return the control of the same kind and name among the added nodes. */
function replacementOf(lost: HTMLElement, added: readonly Node[]): HTMLElement | undefined {
  return added
    .filter((node) => node instanceof HTMLElement)
    .flatMap((node) => [node, ...node.querySelectorAll<HTMLElement>(CONTROLS)])
    .find(
      (each) =>
        each.tagName === lost.tagName && nameOf(each) === nameOf(lost) && canHaveFocus(each),
    )
}

function nameOf(element: HTMLElement): string {
  return element.getAttribute('aria-label') ?? element.getAttribute('name') ?? element.textContent
}
