/** The keyboard shortcuts that work anywhere in the chat. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

const at = (options: Parameters<typeof Person.at>[1] = {}): Promise<Person> =>
  Person.at(site, { permissions: ['clipboard-read', 'clipboard-write'], ...options })
const isFocused = (person: Person): Promise<boolean> =>
  person.composer.evaluate((each) => each === document.activeElement)
const caretOf = (person: Person): Promise<number | undefined> =>
  person.composer.evaluate(() => document.getSelection()?.anchorOffset)
const sheet = (person: Person) => person.chat.getByRole('dialog', { name: 'Keyboard shortcuts' })

test.each([1000, 1300])('shortcuts work in a chat that is %i wide', async (width) => {
  const ann = await at({ viewport: { width, height: 720 } })
  const { keyboard } = ann.page
  await ann.ask('Hello', /You said Hello/)
  await ann.chat.locator('.items').click()
  await keyboard.press('Alt+Shift+M')
  await expect.poll(() => isFocused(ann)).toBe(true)
  await keyboard.type('a')
  await keyboard.press('Alt+Shift+C')
  await expect
    .poll(() => ann.page.evaluate(() => navigator.clipboard.readText()))
    .toContain('You said *Hello*')
  await ann.chat.getByRole('log').getByText('Copied').waitFor({ state: 'attached' })
  await expect.poll(() => ann.composer.textContent()).toBe('a')
  await keyboard.press('Alt+Shift+F')
  const search = ann.chat.getByRole('searchbox', { name: 'Search chats' })
  await expect.poll(() => search.evaluate((each) => each === document.activeElement)).toBe(true)
  await keyboard.press('Alt+Shift+N')
  await expect.poll(() => isFocused(ann)).toBe(true)
  await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
  await ann.say('talk')
  await ann.text(/Word 5\./).waitFor()
  await keyboard.press('Alt+Shift+S')
  await ann.button('Stop').waitFor({ state: 'hidden' })
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('Arrow Up in an empty composer edits the last message', async () => {
  const ann = await at()
  const { keyboard } = ann.page
  await ann.ask('Hello', /You said Hello/)
  await ann.composer.click()
  await keyboard.type('x')
  await keyboard.press('ArrowUp')
  // The editor notices a moment later that the browser moved the caret.
  await expect.poll(() => caretOf(ann)).toBe(0)
  await keyboard.press('Delete')
  const edited = ann.chat.getByRole('textbox', { name: 'Edited message' })
  await expect.poll(() => edited.count()).toBe(0)
  await keyboard.press('ArrowUp')
  await expect.poll(() => edited.textContent()).toBe('Hello')
  await keyboard.press('Escape')
  await expect.poll(() => isFocused(ann)).toBe(true)
  await keyboard.press('ArrowUp')
  await edited.waitFor()
  await keyboard.type(' again')
  await keyboard.press('Enter')
  await ann.text(/You said Hello again/).waitFor()
  await expect.poll(() => ann.chat.locator('.user').count()).toBe(1)
  await ann.leave()
})

test.each(['light', 'dark'] as const)('a sheet lists the shortcuts, %s', async (colorScheme) => {
  const ann = await at({ colorScheme, viewport: { width: 320, height: 480 } })
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('What?')
  await expect.poll(() => sheet(ann).count()).toBe(0)
  await keyboard.press('Alt+Shift+H')
  await sheet(ann).getByText('Copy the last answer').waitFor()
  expect(await ann.violations()).toEqual([])
  await keyboard.press('Alt+Shift+F')
  await keyboard.press('Escape')
  await sheet(ann).waitFor({ state: 'hidden' })
  await expect.poll(() => isFocused(ann)).toBe(true)
  await expect.poll(() => ann.composer.textContent()).toBe('What?')
  await ann.button('Chats').click()
  await ann.button('Keyboard shortcuts').click()
  await sheet(ann).getByRole('button', { name: 'Close' }).press('Enter')
  await sheet(ann).waitFor({ state: 'hidden' })
  await ann.leave()
})
