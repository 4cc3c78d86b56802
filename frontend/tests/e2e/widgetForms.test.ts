/** Filling in and sending forms. */

import { expect, test } from 'vitest'

import { openedSite } from './openedSite'
import { form, leave, seeing } from './shownWidget'

const site = openedSite()

function replaced(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf(':') + 1))
}

const BOOKED = {
  id: 7,
  name: 'Kari',
  class: 'business',
  trip: { title: 'A trip', day: expect.stringMatching(/^2026-12-02T00:00:00\.000/) as string },
  seat: 'aisle',
  wishes: 'None\nat all',
  agrees: true,
}

test('a form can be filled and sent by keyboard', async () => {
  const ann = await seeing(site, form)
  const { keyboard } = ann.page
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await keyboard.press(key)
  }
  const focused = (): Promise<string | null | undefined> | undefined =>
    ann.page.frames()[1]?.evaluate(() => document.activeElement?.getAttribute('aria-label'))
  await ann.chat.getByRole('textbox', { name: 'Name' }).focus()
  await keyboard.type('Kari')
  await press('Tab', 'Enter')
  await ann.chat.getByRole('listbox', { name: 'Class' }).waitFor()
  await press('ArrowDown', 'ArrowDown', 'Enter')
  await ann.chat.getByRole('combobox', { name: 'Class' }).getByText('Business').waitFor()
  await press('Tab', 'Tab', 'ArrowDown')
  await ann.chat.getByRole('grid', { name: 'November 2026' }).waitFor()
  await expect.poll(focused).toBe('Wednesday, November 25, 2026')
  await press('ArrowDown')
  await expect.poll(focused).toBe('Wednesday, December 2, 2026')
  await press('Enter')
  await ann.chat.getByRole('combobox', { name: 'Day' }).getByText('Dec 2, 2026').waitFor()
  await press('Tab', 'Tab', 'Space')
  // At least as long as a finger presses a key.
  await keyboard.press('ArrowRight', { delay: 50 })
  await expect
    .poll(() =>
      ann.chat
        .getByRole('radio', { name: 'Aisle' })
        .evaluate((each) => each === document.activeElement),
    )
    .toBe(true)
  await press('Tab')
  await keyboard.type('None')
  await press('Enter')
  await keyboard.type('at all')
  await press('Tab', 'Space', 'Tab', 'Tab', 'Enter')
  const done = ann.text(/^Replaced: /)
  await done.waitFor()
  expect(replaced((await done.textContent()) ?? '')).toEqual(BOOKED)
  await leave(ann)
})

test('a complete form can be sent by mouse', async () => {
  const ann = await seeing(site, form)
  await ann.button('Book').click()
  await expect.poll(() => ann.chat.getByText('Please fill this in.').count()).toBe(3)
  const name = ann.chat.getByRole('textbox', { name: 'Name' })
  await expect.poll(() => name.evaluate((each) => each === document.activeElement)).toBe(true)
  await name.fill('Kari')
  await ann.chat.locator('.widget').getByText('Class', { exact: true }).click()
  await ann.chat.getByRole('combobox', { name: 'Class' }).click()
  await ann.chat.getByRole('option', { name: 'First' }).click({ force: true })
  await ann.chat.getByRole('option', { name: 'Business' }).click()
  await ann.chat.getByRole('combobox', { name: 'Day' }).click()
  await ann.button('December 2026').click()
  await ann.button('Wednesday, December 2, 2026').click()
  await ann.chat.getByRole('radio', { name: 'Aisle' }).click()
  await ann.chat.getByRole('textbox', { name: 'Wishes' }).fill('None\nat all')
  await ann.chat.locator('.widget').getByText('I agree').click()
  await ann.button('Book').click()
  const done = ann.text(/^Replaced: /)
  await done.waitFor()
  expect(replaced((await done.textContent()) ?? '')).toEqual(BOOKED)
  await leave(ann)
})
