/** Makes a frame as tall as its content while the page is printed. */

/** Print the whole chat with the page, not only the visible part. Return a function to stop. */
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
