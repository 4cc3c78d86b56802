/** Keyboard users can see the focus, in all screen settings. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { equip, option } from './equippedComposer'
import { surroundings } from './surroundings'

const site = openedSite()

/** Press Tab until the focus has been everywhere; return the elements with an invisible focus. */
async function walk(person: Person): Promise<string[]> {
  const frame = person.page.frames()[1]
  const problems = new Set<string>()
  const seen = new Set<string>()
  for (let steps = 0; steps < 80; steps++) {
    await person.page.keyboard.press('Tab')
    const stop = await frame?.evaluate(async () => {
      const element = document.activeElement
      if (element === null || element === document.body) return null
      // The browser scrolls to the element a few frames later.
      const drawn = (): Promise<unknown> => new Promise(requestAnimationFrame)
      let before: number
      do {
        before = element.getBoundingClientRect().top
        for (let frames = 0; frames < 3; frames++) await drawn()
      } while (element.getBoundingClientRect().top !== before)
      const { left, top, width, height } = element.getBoundingClientRect()
      const x = Math.max(left + 1, Math.min(left + width / 2, innerWidth - 2))
      const y = Math.max(top + 1, Math.min(top + height / 2, innerHeight - 2))
      const at = document.elementFromPoint(x, y)
      // These show the focus ring around their container.
      const holder = element.matches('.choice input, .composer .editor-text')
        ? element.closest('.choice, .composer-box')
        : null
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(holder ?? element)
      const isForced = matchMedia('(forced-colors: active)').matches
      const hasRing = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0
      return {
        name: element.getAttribute('aria-label') ?? element.textContent?.slice(0, 40) ?? '',
        tag: element.tagName,
        isWithin: top < innerHeight && top + height > 0 && left < innerWidth && left + width > 0,
        isOnTop: at !== null && (element.contains(at) || at.contains(element)),
        hasFocusRing: hasRing || (!isForced && boxShadow !== 'none'),
      }
    })
    if (stop === null || stop === undefined) continue
    const what = `${stop.tag} ${stop.name}`
    if (!stop.isWithin) problems.add(`${what} is out of sight`)
    else if (!stop.isOnTop) problems.add(`${what} is covered`)
    if (!stop.hasFocusRing) problems.add(`${what} has no focus ring`)
    if (seen.has(what) && seen.size > 3 && what === [...seen][0]) break
    seen.add(what)
  }
  expect(seen.size).toBeGreaterThan(3)
  return [...problems]
}

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
