/** Reads content pasted into the composer. */

import { trusted } from '../element/trusted'

/** Return the text of a clipboard, or `null` if its files are accepted instead. */
export function pastedText(
  clipboard: DataTransfer,
  onFiles: ((files: FileList) => boolean) | undefined,
): string | null {
  const { files, types } = clipboard
  const text = clipboard.getData('text/plain') || textOfHtml(clipboard.getData('text/html'))
  // Office programs add a picture of the copied content.
  const isDocument = text !== '' && types.includes('text/html')
  if (files.length > 0 && !isDocument && onFiles?.(files)) return null
  return text.replaceAll(/\r\n?/g, '\n')
}

/** Return the visible text of HTML, without loading or running anything in it. */
function textOfHtml(html: string): string {
  if (html === '') return ''
  const { body } = new DOMParser().parseFromString(trusted(html), 'text/html')
  for (const hidden of body.querySelectorAll('script, style, template, noscript')) hidden.remove()
  for (const line of body.querySelectorAll('br')) line.replaceWith('\n')
  for (const block of body.querySelectorAll(
    'p, div, li, tr, h1, h2, h3, h4, h5, h6, pre, blockquote',
  )) {
    block.append('\n')
  }
  return (body.textContent ?? '').replaceAll(/[ \t]*\n\s*\n+/g, '\n\n').trim()
}
