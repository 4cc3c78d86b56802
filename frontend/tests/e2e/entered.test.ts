/** What users typed or chose and did not send, after a reload and after visits to other chats. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { form, show } from './shownWidget'

const site = openedSite()

/** Ways to leave a chat titled `title` and to come back. */
const ways: [name: string, go: (ann: Person, title: string) => Promise<void>][] = [
  ['a reload', async (ann) => void (await ann.page.reload())],
  [
    'another chat',
    async (ann, title) => {
      await ann.button('New chat').click()
      await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
      await ann.button(title).click()
    },
  ],
]

const inSidebar = { viewport: { width: 1300, height: 800 } }

test.each(ways)('the answers to questions are still there after %s', async (_, go) => {
  const ann = await Person.at(site, inSidebar)
  await ann.beAsked('ask', 'Answer')
  const why = ann.chat.getByRole('textbox', { name: 'Why?' })
  await why.fill('For fun')
  await ann.chat.getByRole('radio', { name: 'Later' }).check()
  await go(ann, 'ask')
  await why.waitFor()
  expect(await why.inputValue()).toBe('For fun')
  expect(await ann.chat.getByRole('radio', { name: 'Later' }).isChecked()).toBe(true)
  await ann.button('Answer').click()
  await ann.text(/The tool said.*For fun/).waitFor()
  await ann.page.reload()
  await ann.text(/The tool said.*For fun/).waitFor()
  expect(await ann.page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('For fun')
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test.each(ways)('edits are still there after %s', async (_, go) => {
  const ann = await Person.at(site, inSidebar)
  await ann.ask('First', /and I know 1/)
  await ann.ask('Second', /and I know 3/)
  const edited = ann.chat.getByRole('textbox', { name: 'Edited message' })
  for (const [index, text] of ['One', 'Two'].entries()) {
    await ann.button('Edit').first().click()
    await edited.nth(index).fill(text)
  }
  await go(ann, 'First')
  await expect.poll(() => edited.allTextContents()).toEqual(['One', 'Two'])
  expect(await edited.and(ann.chat.locator(':focus')).count()).toBe(0)
  expect(await ann.violations()).toEqual([])
  await edited.nth(0).press('Escape')
  await edited.press('Enter')
  await ann.text(/You said Two, and I know 3/).waitFor()
  await ann.button('Send').waitFor()
  await ann.page.reload()
  await ann.text(/You said Two, and I know 3/).waitFor()
  expect(await edited.count()).toBe(0)
  await ann.leave()
})

test.each(ways)('the values in a form are still there after %s', async (_, go) => {
  const ann = await Person.at(site, inSidebar)
  const title = 'show a form'
  await ann.ask(title, /You said/)
  await show(ann, form)
  await ann.chat.getByRole('textbox', { name: 'Name' }).fill('Kari')
  await ann.chat.getByRole('radio', { name: 'Aisle' }).click()
  await ann.chat.getByRole('checkbox', { name: 'I agree' }).click()
  await go(ann, title)
  const name = ann.chat.getByRole('textbox', { name: 'Name' })
  await name.waitFor()
  await expect.poll(() => name.inputValue()).toBe('Kari')
  expect(await ann.chat.getByRole('radio', { name: 'Aisle' }).isChecked()).toBe(true)
  expect(await ann.chat.getByRole('checkbox', { name: 'I agree' }).isChecked()).toBe(true)
  await ann.button('Book').click()
  await ann.chat
    .locator('.widget')
    .getByText(/"aisle"/)
    .waitFor()
  await ann.leave()
})
