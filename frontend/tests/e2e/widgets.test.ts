/** The controls of widgets in a real browser: popups, looks, and large numbers of them. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { form, leave, options, seeing, show } from './shownWidget'

const site = openedSite()

test('menus of controls fit a narrow frame, and Escape closes them', async () => {
  const many = Array.from({ length: 300 }, (_, index) => ({
    value: String(index),
    label: `Option ${index} of a list that is rather long, in words that are many`,
  }))
  const ann = await seeing(
    site,
    {
      type: 'Card',
      children: [
        { type: 'Select', name: 'many', options: many },
        {
          type: 'Row',
          justify: 'end',
          children: [{ type: 'DatePicker', name: 'day', side: 'right', align: 'end' }],
        },
      ],
    },
    { viewport: { width: 320, height: 480 } },
  )
  for (const name of ['many', 'day']) {
    const control = ann.chat.getByRole('combobox', { name })
    await control.click()
    const popup = ann.chat.locator('.widget-popup')
    await ann.chat.locator('.widget-options, .widget-month').waitFor()
    const fits = async (): Promise<boolean> => {
      const box = await popup.boundingBox()
      if (box === null) return false
      const { x, y, width, height } = box
      return x >= 0 && x + width <= 320 && y >= 0 && y + height <= 480
    }
    await expect.poll(fits).toBe(true)
    expect(await ann.violations()).toEqual([])
    await ann.page.keyboard.press('Escape')
    await popup.waitFor({ state: 'detached' })
    await expect.poll(() => control.evaluate((each) => each === document.activeElement)).toBe(true)
  }
  await ann.chat.getByRole('combobox', { name: 'many' }).press('Enter')
  await ann.page.keyboard.type('Option 299!')
  await ann.chat.getByText('Nothing found.').waitFor()
  expect(await ann.violations()).toEqual([])
  await ann.page.keyboard.press('Backspace')
  await ann.page.keyboard.press('Enter')
  await ann.chat.getByRole('combobox', { name: 'many' }).getByText('Option 299').waitFor()
  await leave(ann)
})

for (const colorScheme of ['light', 'dark']) {
  test(`controls are named and readable in the ${colorScheme}, in each of their states`, async () => {
    const ann = await seeing(site, form, {}, { theme: colorScheme })
    expect(await ann.violations()).toEqual([])
    await ann.button('Book').click()
    expect(await ann.violations()).toEqual([])
    await ann.chat.getByRole('combobox', { name: 'Class' }).click()
    await ann.chat.getByRole('option', { name: 'Economy' }).waitFor()
    expect(await ann.violations()).toEqual([])
    await ann.page.keyboard.press('Escape')
    await ann.chat.getByRole('combobox', { name: 'Day' }).click()
    await ann.chat.getByRole('grid').waitFor()
    expect(await ann.violations()).toEqual([])
    await leave(ann)
  })
}

test('a calendar runs from right to left in such languages', async () => {
  const ann = await Person.at(site)
  await show(ann, form)
  await ann.setOptions({ locale: 'ar' })
  const day = ann.chat.getByRole('combobox', { name: 'Day' })
  await day.click()
  const focused = (): Promise<string | undefined> | undefined =>
    ann.page.frames()[1]?.evaluate(() => document.activeElement?.textContent ?? undefined)
  await ann.chat.getByRole('grid').waitFor()
  const before = await day.textContent()
  await expect.poll(focused).not.toBe(before)
  const number = async (): Promise<number> =>
    Number((await focused())?.replaceAll(/[٠-٩]/g, (digit) => `${'٠١٢٣٤٥٦٧٨٩'.indexOf(digit)}`))
  await expect.poll(number).toBe(25)
  await ann.page.keyboard.press('ArrowLeft')
  await expect.poll(number).toBe(26)
  expect(await ann.violations()).toEqual([])
  await leave(ann)
})

test('a form of a hundred fields opens and can be filled', async () => {
  const children = Array.from({ length: 100 }, (_, index) => {
    const name = `f${index}`
    return [
      { type: 'Input', name },
      { type: 'Select', name, options },
      { type: 'DatePicker', name },
      { type: 'Checkbox', name, label: name },
      { type: 'Textarea', name, rows: 1 },
    ][index % 5]
  })
  const ann = await Person.at(site)
  await show(ann, { type: 'Card', children: [{ type: 'Form', children }] })
  const last = ann.chat.getByRole('textbox', { name: 'f99' })
  await last.waitFor()
  await last.pressSequentially('some words')
  await expect.poll(() => last.inputValue()).toBe('some words')
  await leave(ann)
})
