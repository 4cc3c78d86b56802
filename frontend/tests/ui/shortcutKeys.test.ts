// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'

import { keysOf, shortcutOf } from '../../src/ui/shortcutKeys'

type Keys = [KeyboardEventInit, string | null]
const shortcut = (keys: KeyboardEventInit): string | null =>
  shortcutOf(new KeyboardEvent('keydown', keys))

test.each<Keys>([
  [{ key: 'N', code: 'KeyN', altKey: true, shiftKey: true }, 'newChat'],
  [{ key: 'n', code: 'KeyK', altKey: true, shiftKey: true }, 'newChat'],
  [{ key: 'Т', code: 'KeyN', altKey: true, shiftKey: true }, 'newChat'],
  [{ key: 'K', code: 'KeyN', altKey: true, shiftKey: true }, null],
  [{ key: 'N', code: 'KeyN', shiftKey: true }, null],
  [{ key: 'N', code: 'KeyN', altKey: true }, null],
  [{ key: 'N', code: 'KeyN', altKey: true, ctrlKey: true, shiftKey: true }, null],
  [{ key: 'N', code: 'KeyN', altKey: true, shiftKey: true, metaKey: true }, null],
  [{ key: 'N', code: 'KeyN', altKey: true, shiftKey: true, repeat: true }, null],
  [{ key: 'N', code: 'KeyN', altKey: true, shiftKey: true, isComposing: true }, null],
  [{ key: 'Shift', code: 'ShiftLeft', altKey: true, shiftKey: true }, null],
])('%o is %s', (keys, found) => expect(shortcut(keys)).toBe(found))

test('on a Mac, shortcuts use Control instead of Alt, which types characters there', async () => {
  vi.spyOn(navigator, 'platform', 'get').mockReturnValue('MacIntel')
  vi.resetModules()
  const mac = await import('../../src/ui/shortcutKeys')
  const keys = { key: 'N', code: 'KeyN', shiftKey: true }
  expect(mac.shortcutOf(new KeyboardEvent('keydown', { ...keys, ctrlKey: true }))).toBe('newChat')
  expect(mac.shortcutOf(new KeyboardEvent('keydown', { ...keys, altKey: true }))).toBeNull()
  expect(mac.keysOf('newChat')).toEqual(['Control', 'Shift', 'N'])
  expect(keysOf('newChat')).toEqual(['Alt', 'Shift', 'N'])
})
