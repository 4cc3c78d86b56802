/**
 * JSON in the browser's storage, to which other scripts of the page can write. If the storage is full
 * or forbidden, values last as long as the page.
 */

type Kind = 'localStorage' | 'sessionStorage'

/** Return a stored value; `null` if there is none. */
export function storedJson(kind: Kind, name: string): unknown {
  try {
    return JSON.parse(window[kind].getItem(name) ?? 'null')
  } catch {
    return null
  }
}

export function storeJson(kind: Kind, name: string, value: unknown): void {
  try {
    window[kind].setItem(name, JSON.stringify(value))
  } catch {
    // It lasts as long as the page.
  }
}
