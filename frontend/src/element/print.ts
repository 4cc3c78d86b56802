/** Makes a frame as high as what is in it while the page is printed. */

/** Print all of a chat with the page, and not only what is in view. Returns how to end that. */
export function printWhole(element: HTMLElement, frame: HTMLIFrameElement): () => void {
  let height = ''
  const before = (): void => {
    const content = frame.contentDocument?.documentElement
    if (!content) return
    height = element.style.height
    content.classList.add('printing')
    element.style.height = `${content.scrollHeight}px`
  }
  const after = (): void => {
    frame.contentDocument?.documentElement.classList.remove('printing')
    element.style.height = height
  }
  addEventListener('beforeprint', before)
  addEventListener('afterprint', after)
  return () => {
    removeEventListener('beforeprint', before)
    removeEventListener('afterprint', after)
  }
}
