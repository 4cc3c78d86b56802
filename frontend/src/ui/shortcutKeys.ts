/** The keyboard shortcuts that work anywhere in the chat. */

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
const LETTERS: Record<Shortcut, string> = {
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

/** Return the shortcut that a key triggers. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  const { key, code, shiftKey, altKey, ctrlKey, metaKey } = event
  const hasModifiers = shiftKey && !metaKey && (isMac ? ctrlKey && !altKey : altKey && !ctrlKey)
  if (!hasModifiers || event.repeat || event.isComposing) return null
  const typed = key.toUpperCase()
  // On keyboards for other scripts, the key is where an English keyboard has the letter.
  const letter = /^[A-Z]$/.test(typed) ? typed : code.replace(/^Key/, '')
  const found = Object.entries(LETTERS).find(([, each]) => each === letter)
  return found === undefined ? null : (found[0] as Shortcut)
}

/** Return the names of a shortcut's keys. */
export function keysOf(shortcut: Shortcut): string[] {
  return [isMac ? 'Control' : 'Alt', 'Shift', LETTERS[shortcut]]
}

/** Return the same keys for `aria-keyshortcuts`. */
export function ariaKeysOf(shortcut: Shortcut): string {
  return keysOf(shortcut).join('+')
}

/** Return the entries of the sheet in their order, each with its text and keys. */
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
