/** What can be done by a key from anywhere in the chat. */

import { Store } from '../chat/store'
import type { TextKey } from '../i18n/locales/en'

export type Shortcut =
  | 'newChat'
  | 'searchChats'
  | 'writeMessage'
  | 'stop'
  | 'copyLast'
  | 'shortcuts'

/**
 * The letter of each shortcut, with Alt and Shift, or with Control and Shift on a Mac. Browsers, screen
 * readers and keyboards of all languages leave these free; letters alone belong to screen readers.
 */
export const LETTERS: Record<Shortcut, string> = {
  newChat: 'N',
  searchChats: 'F',
  writeMessage: 'M',
  stop: 'S',
  copyLast: 'C',
  shortcuts: 'H',
}

const isMac = /^(Mac|iP)/.test(navigator.platform)

/** The sheet that lists the shortcuts. */
export const sheet = new Store({ isOpen: false })

/** Return what a key is a shortcut of. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  const { key, code, shiftKey, altKey, ctrlKey, metaKey } = event
  const hasModifiers = shiftKey && !metaKey && (isMac ? ctrlKey && !altKey : altKey && !ctrlKey)
  if (!hasModifiers || event.repeat || event.isComposing) return null
  const typed = key.toUpperCase()
  // Keyboards of other scripts have the letter on the same key as the English one.
  const letter = /^[A-Z]$/.test(typed) ? typed : code.replace(/^Key/, '')
  const found = Object.entries(LETTERS).find(([, each]) => each === letter)
  return found === undefined ? null : (found[0] as Shortcut)
}

/** The keys of a shortcut, as they are called. */
export function keysOf(shortcut: Shortcut): string[] {
  return [isMac ? 'Control' : 'Alt', 'Shift', LETTERS[shortcut]]
}

/** The same for `aria-keyshortcuts`. */
export function ariaKeysOf(shortcut: Shortcut): string {
  return keysOf(shortcut).join('+')
}

/** What the sheet lists, in its order: a text, and the keys. */
export function listed(): readonly [TextKey, string[]][] {
  return [
    ['newChat', keysOf('newChat')],
    ['searchChats', keysOf('searchChats')],
    ['writeMessage', keysOf('writeMessage')],
    ['send', ['Enter']],
    ['newLine', ['Shift', 'Enter']],
    ['editLast', ['↑']],
    ['stop', keysOf('stop')],
    ['copyLast', keysOf('copyLast')],
    ['shortcuts', keysOf('shortcuts')],
  ]
}
