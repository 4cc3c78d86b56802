/** The gallery of widgets: each component in each state. */

import { join } from 'node:path'

import { expect, test } from 'vitest'

import { python, root } from '../python'
import { Person } from './browser'
import { openedSite } from './openedSite'
import { expectLooks, isTaking } from './snapshots'
import { walk } from './walk'

const FAMILIES = [
  'Layout',
  'Text',
  'Cards',
  'Controls',
  'Forms',
  'Lists',
  'Charts',
  'Streaming',
  'Actions',
  'Bad input',
]
const site = openedSite((port) => python(['-m', 'samples.widgets', '--port', String(port)]), true)

/** Open a thread in a window that is tall enough to show all of it. */
async function look(
  title: string,
  colorScheme: 'light' | 'dark',
  width: number,
  // At half the size, pictures show as much and take less space.
  deviceScaleFactor = 0.5,
): Promise<Person> {
  const settings = {
    colorScheme,
    viewport: { width, height: 900 },
    deviceScaleFactor,
    reducedMotion: 'reduce' as const,
  }
  const ann = await Person.at(site, settings, `/?thread=${encodeURIComponent(title)}`)
  await ann.page.setViewportSize({ width, height: 24_000 })
  await drawn(ann)
  return ann
}

const heightOf = (ann: Person): Promise<number> =>
  ann.chat.locator('.items').evaluate((items) => items.scrollHeight)

/** Wait until code is colored, and a thread, which is drawn piece by piece, keeps its height. */
async function drawn(ann: Person): Promise<void> {
  await ann.chat.locator('.items .widget').first().waitFor()
  const plain = ann.chat.locator('.code-block:not(:has(span[style]))')
  await plain.first().waitFor({ state: 'detached' })
  let height = 0
  for (let times = 0; times < 5; times++) {
    await ann.page.waitForTimeout(200)
    const now = await heightOf(ann)
    if (now !== height) times = 0
    height = now
  }
}

test.each(
  FAMILIES.flatMap((title) => [
    { title, colorScheme: 'light' as const, width: 1000 },
    { title, colorScheme: 'dark' as const, width: 390 },
  ]),
)('$title, $colorScheme, $width wide', async ({ title, colorScheme, width }) => {
  const ann = await look(title, colorScheme, width)
  const frame = ann.page.frames()[1]
  await expectLooks(
    ann.page,
    `${title.replace(' ', '-').toLowerCase()}-${colorScheme}`,
    async () => {
      await ann.page.setViewportSize({ width, height: (await heightOf(ann)) + 300 })
    },
  )
  expect(await ann.violations()).toEqual([])
  expect(await frame?.evaluate(() => document.body.scrollWidth > window.innerWidth)).toBe(false)
  const missing = await ann.chat.getByText('This part cannot be shown.').count()
  expect(missing > 0).toBe(title === 'Bad input')
  expect(ann.problems).toEqual([])
  await ann.leave()
})

/** The settings that layouts and colors easily miss. */
const SETTINGS = [
  { name: 'dark, right to left', width: 320, media: { colorScheme: 'dark' }, dir: 'rtl' },
  { name: 'forced colors', width: 640, media: { forcedColors: 'active' }, dir: 'ltr' },
] as const

test.each(FAMILIES)(
  '%s: axe finds nothing, nothing is too wide, and every tab stop is visible, in any setting',
  async (title) => {
    const ann = await look(title, 'light', 320)
    const frame = ann.page.frames()[1]
    for (const { name, width, media, dir } of SETTINGS) {
      await ann.page.setViewportSize({ width, height: 24_000 })
      const given = { colorScheme: 'light', forcedColors: 'none', ...media } as const
      await ann.page.emulateMedia(given)
      const themed = ann.chat.locator(`html[data-theme=${given.colorScheme}]`)
      await themed.waitFor({ state: 'attached' })
      await frame?.evaluate((dir) => (document.documentElement.dir = dir), dir)
      expect(await ann.violations(), name).toEqual([])
      const tooWide = await frame?.evaluate(() => document.body.scrollWidth - innerWidth)
      expect(tooWide, name).toBe(0)
    }
    await ann.page.setViewportSize({ width: 320, height: 568 })
    await ann.composer.focus()
    expect(await walk(ann, 400)).toEqual([])
    expect(ann.problems).toEqual([])
    await ann.leave()
  },
  300_000,
)

test.runIf(isTaking).each([
  { title: 'Forms', words: 'Anything else', name: 'widget-form' },
  { title: 'Lists', words: 'Show more', name: 'widget-list' },
  { title: 'Charts', words: 'Mixed', name: 'widget-chart' },
])('the guide has a picture: $name', async ({ title, words, name }) => {
  const ann = await look(title, 'light', 640, 2)
  const widget = ann.chat.locator('.widget-root', { hasText: words }).first()
  await widget.screenshot({ path: join(root, `docs/images/${name}.png`), animations: 'disabled' })
  await ann.leave()
})

test('a widget streams, and a failed one keeps its last state', async () => {
  const ann = await look('Streaming', 'light', 1000)
  await ann.button('Text that grows').click()
  await ann.chat.getByRole('link', { name: 'a link' }).waitFor()
  await ann.text(/Oslo \| 4/).waitFor()
  await ann.button('Send').waitFor()
  await ann.button('One that fails half way').click()
  await ann.text('Something went wrong. Try again.').waitFor()
  await ann.text('So far it went.').waitFor()
  await ann.button('In this widget').click()
  await ann.button('In this widget').waitFor({ state: 'detached' })
  await ann.leave()
})

test('every action is answered', async () => {
  const ann = await look('Actions', 'light', 1000)
  await ann.button('Count').click()
  await ann.text('Answered at once: 1').waitFor()
  await ann.button('Ask').click()
  await ann.text('A script answers. It was told: “What is a widget?”').waitFor()
  await ann.button('Change it').click()
  await ann.text(/^Changed at/).waitFor()
  await ann.button('It says why').click()
  await ann.text('The flight is full.').waitFor()
  await ann.button('The payload does not fit').click()
  await ann.chat
    .getByText(/Seats: Input should be a valid integer/)
    .first()
    .waitFor()
  await ann.button('Nothing handles it').click()
  await ann.chat.getByText('This chat cannot do that.').first().waitFor()
  await ann.leave()
})

test('form values arrive, and the server checks them', async () => {
  const ann = await look('Forms', 'light', 1000)
  await ann.button('Book').click()
  await ann.chat
    .getByText(/Seats: Input should be less than or equal to 9/)
    .first()
    .waitFor()
  await ann.chat.getByLabel('Seats, from 1 to 9').fill('2')
  await ann.button('Book').click()
  await ann.text('Booked: 2').waitFor()
  await ann.chat.getByLabel('Your name').fill('Ånn')
  await ann.button('Send').first().click()
  await ann.chat
    .getByText(/"name": "Ånn"/)
    .first()
    .waitFor()
  await ann.leave()
})
