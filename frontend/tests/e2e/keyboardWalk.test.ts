/** Keyboard users can see the focus, in all screen settings. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { equip, option } from './equippedComposer'
import { surroundings } from './surroundings'
import { walk } from './walk'

const site = openedSite()

test.each(Object.entries(surroundings))('every tab stop is visible: %s', async (_, options) => {
  const ann = await Person.at(site, options)
  const check = async (state: string): Promise<void> => {
    expect(await walk(ann), state).toEqual([])
  }
  await ann.composer.focus()
  await check('start')
  await ann.ask('think', 'I thought.')
  await check('answer')
  await ann.beAsked('pay', 'Approve')
  await check('approval')
  await ann.beAsked('ask', 'Answer')
  await check('questions')
  await ann.page.keyboard.press('Alt+Shift+F')
  const search = ann.chat.getByRole('searchbox')
  await expect.poll(() => search.evaluate((each) => each === document.activeElement)).toBe(true)
  await check('chats')
  await ann.page.keyboard.press('Alt+Shift+H')
  await ann.chat.getByRole('dialog').waitFor()
  expect(await ann.violations()).toEqual([])
  await ann.leave()
})

test('with system colors, borders replace distinctions by color', async () => {
  const ann = await Person.at(site, { forcedColors: 'active', permissions: ['microphone'] })
  await equip(ann)
  const bordered = (selector: string): Promise<boolean> =>
    ann.chat
      .locator(selector)
      .first()
      .evaluate((each) => {
        const { borderTopWidth, outlineStyle } = getComputedStyle(each)
        return borderTopWidth !== '0px' || outlineStyle !== 'none'
      })
  await ann.composer.click()
  await ann.page.keyboard.type('@')
  await option(ann, 'Q2 plan').waitFor()
  expect(await bordered('.suggestions')).toBe(true)
  expect(await bordered('.suggestion[aria-selected=true]')).toBe(true)
  expect(await bordered('.suggestion[aria-selected=false]')).toBe(false)
  await ann.page.keyboard.press('Enter')
  expect(await bordered('.tag')).toBe(true)
  await ann.button('Search the web').click()
  expect(await bordered('.pick[aria-pressed=true]')).toBe(true)
  await ann.button('Tools').click()
  await ann.chat.getByRole('menuitemradio').first().waitFor()
  expect(await bordered('[role=menu]')).toBe(true)
  await ann.leave()
})
