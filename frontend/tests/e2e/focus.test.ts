/** The focus of keyboard users when the control that has it disappears. */

import type { Locator } from 'playwright-core'
import { expect, test } from 'vitest'

import { Person } from './browser'
import { attach, equip, text } from './equippedComposer'
import { openedSite } from './openedSite'
import { idle, seeing } from './shownWidget'

const site = openedSite()

const hasFocus = (element: Locator): Promise<void> =>
  expect.poll(() => element.evaluate((each) => each === document.activeElement)).toBe(true)

async function settled(person: Person): Promise<void> {
  expect(person.problems).toEqual([])
  await person.leave()
}

/** A card with a button that replaces it, which is in another place than in other cards. */
function card(title: string, next: object, place: string): object {
  const action = { type: 'become', payload: { widget: next } }
  const button = { type: 'Button', label: 'Next', key: place, onClickAction: action }
  const children = [
    { type: 'Title', value: title },
    { type: place, children: [button] },
  ]
  return { type: 'Card', children }
}

test('in a widget, the focus goes to the same control, or to the widget', async () => {
  const end = { type: 'Card', children: [{ type: 'Title', value: 'Three' }] }
  const ann = await seeing(site, card('One', card('Two', end, 'Col'), 'Row'))
  const title = (name: string): Promise<void> =>
    ann.chat.getByRole('heading', { name, exact: true }).waitFor()
  await ann.button('Next').press('Enter')
  await title('Two')
  await hasFocus(ann.button('Next'))
  await idle(ann)
  await ann.page.keyboard.press('Enter')
  await title('Three')
  await hasFocus(ann.chat.locator('.widget'))
  await ann.chat.getByRole('log').getByText('Three').waitFor({ state: 'attached' })
  await settled(ann)
})

test('after an approval, the focus is in its card', async () => {
  const ann = await Person.at(site)
  await ann.beAsked('pay', 'Approve')
  await ann.button('Approve').press('Enter')
  await ann.text('The tool said: 120 sent to Kari').waitFor()
  await idle(ann)
  await hasFocus(ann.chat.locator('.widget'))
  await settled(ann)
})

test('after a choice in the thread, the focus is in the composer', async () => {
  const ann = await Person.at(site)
  await ann.beAsked('questions', 'Answer')
  await ann.button('Skip').press('Enter')
  await ann.button('Skip').waitFor({ state: 'detached' })
  await hasFocus(ann.composer)
  await idle(ann)
  await ann.say('fail')
  await idle(ann)
  await ann.button('Try again').press('Enter')
  await hasFocus(ann.composer)
  await ann.button('Try again').waitFor()
  await idle(ann)
  await ann.say('talk')
  await ann.text(/Word 3\./).waitFor()
  for (const queued of ['Sooner', 'Later', 'Last']) await ann.say(queued)
  const buttonOf = (queued: string, name: string): Locator =>
    ann.chat.locator('.waits', { hasText: queued }).getByRole('button', { name })
  await buttonOf('Sooner', 'Delete').press('Enter')
  await hasFocus(ann.composer)
  await buttonOf('Later', 'Edit').press('Enter')
  await hasFocus(ann.composer)
  await expect.poll(() => ann.composer.textContent()).toBe('Later')
  await ann.composer.fill('')
  await ann.button('Stop').press('Enter')
  await hasFocus(ann.composer)
  await buttonOf('Last', 'Send now').press('Enter')
  await hasFocus(ann.composer)
  await ann.text(/You said Last/).waitFor()
  await settled(ann)
})

test('around the composer, the focus stays in it', async () => {
  const ann = await Person.at(site, { permissions: ['microphone'] })
  await equip(ann)
  await ann.page.route('**/attachments', (route) => route.fulfill({ status: 503, json: {} }))
  await attach(ann, text('a.txt'))
  await ann.button('Upload a.txt again').press('Enter')
  await hasFocus(ann.composer)
  await ann.button('Remove a.txt').press('Enter')
  await hasFocus(ann.composer)
  await ann.setOptions({ theme: 'blue' })
  await ann.button('Close').press('Enter')
  await hasFocus(ann.composer)
  await ann.leave()
})

test('in the list of chats, the focus stays in the list', async () => {
  const ann = await Person.at(site, { viewport: { width: 1300, height: 720 } })
  await ann.ask('One', /You said One/)
  await ann.button('New chat').first().click()
  await ann.ask('Two', /You said Two/)
  // The buttons of a row appear when it has the focus.
  await ann.button('One').focus()
  await ann.button('Delete One').press('Enter')
  await hasFocus(ann.button('Keep'))
  await ann.button('Delete').press('Enter')
  await ann.button('One').waitFor({ state: 'detached' })
  await hasFocus(ann.chat.getByRole('searchbox'))
  await ann.button('Two').focus()
  await ann.button('Rename Two').press('Enter')
  await hasFocus(ann.chat.getByRole('textbox', { name: 'Title' }))
  await ann.page.keyboard.type('Three')
  await ann.page.keyboard.press('Enter')
  await hasFocus(ann.button('Three'))
  await ann.button('Keyboard shortcuts').press('Enter')
  await ann.chat.getByRole('dialog').getByRole('button', { name: 'Close' }).press('Enter')
  await hasFocus(ann.button('Keyboard shortcuts'))
  await settled(ann)
})
