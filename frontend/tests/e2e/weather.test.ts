/** A user's conversation with the weather assistant, whose pictures the guide shows. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, expect, test } from 'vitest'

import { python } from '../python'
import { Person } from './browser'
import { openedSite } from './openedSite'
import { isTaking } from './snapshots'

const folder = mkdtempSync(join(tmpdir(), 'weather-'))
const PICTURES = new Set([
  'approval-light',
  'approval-phone',
  'history-light',
  'questions-light',
  'start-dark',
  'start-light',
  'weather-dark',
  'weather-light',
  'weather-phone',
])
const images = fileURLToPath(new URL('../../../docs/images', import.meta.url))

afterAll(() => rmSync(folder, { recursive: true, force: true }))
const site = openedSite((port) =>
  python(['-m', 'samples.weather', '--port', String(port), '--folder', folder, '--offline']),
)

/** The guide needs a picture of each; the tests need only two that differ. */
const LOOKS = (
  [
    { name: 'light', colorScheme: 'light', viewport: { width: 1100, height: 980 } },
    { name: 'dark', colorScheme: 'dark', viewport: { width: 1100, height: 980 } },
    { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
    { name: 'phone-dark', colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  ] as const
).filter(({ name }) => isTaking || name === 'light' || name === 'phone-dark')

test.each(LOOKS)('the story, $name', async ({ name, colorScheme, viewport }) => {
  const isPhone = name.startsWith('phone')
  const ann = await Person.at(site, {
    colorScheme,
    viewport,
    deviceScaleFactor: 2,
    timezoneId: 'Europe/Berlin',
    hasTouch: isPhone,
    reducedMotion: 'reduce',
  })
  const shoot = async (what: string): Promise<void> => {
    if (!isTaking || !PICTURES.has(`${what}-${name}`)) return
    // The pointer is elsewhere, charts and pictures are rendered, and nothing moves.
    await ann.page.mouse.move(0, 0)
    await ann.page.waitForTimeout(1000)
    await ann.page.screenshot({ path: join(images, `${what}-${name}.png`) })
  }
  await ann.chat.getByText('A script answers instead of a model').waitFor()
  await shoot('start')

  // A card fills in while its tool runs; the answer follows.
  await ann.button('The weather in Oslo').click()
  await ann.text(/^(It is (cold|mild|warm) in )?Oslo/).waitFor()
  await ann.button('Send').waitFor()
  await ann.text('Made up, because there is no network').waitFor()
  await shoot('weather')

  // The buttons of a card ask questions.
  await ann.ask('Which cities do you know?', 'Choose one, or name another.')
  await ann.button('Rome').click()
  await ann.chat.locator('.items').getByText('Italy').first().waitFor()
  await ann.button('Send').waitFor()

  // The user answers a question, and the run continues.
  await ann.say('What should I wear in London?')
  await ann.text('What will you do in London?').waitFor()
  await shoot('questions')
  await ann.chat.getByRole('radio', { name: 'Cycle' }).check()
  await ann.button('Answer').click()
  await ann.text(/^To cycle, take/).waitFor()
  await ann.button('Send').waitFor()

  // The tool does not run before the user approves it.
  await ann.say('Alert me when it rains in Paris')
  await ann.button('Approve').waitFor()
  await shoot('approval')
  await ann.button('Approve').click()
  await ann.text(/Subscribed to alerts of rain in Paris/).waitFor()
  await ann.button('Send').waitFor()

  // The page runs a client tool.
  await ann.ask('Where am I?', /in Berlin/)
  const other = colorScheme === 'dark' ? 'light' : 'dark'
  await ann.ask(`Use ${other} colors`, `The page is ${other} now.`)
  await ann.chat.locator(`html[data-theme=${other}]`).waitFor({ state: 'attached' })
  await ann.ask(`Use ${colorScheme} colors`, `The page is ${colorScheme} now.`)

  // A reload shows all of it again; the list of chats shows its title, and finds its words.
  await ann.page.reload()
  await ann.text(`The page is ${colorScheme} now.`).waitFor()
  if (isPhone) await ann.button('Chats').click()
  await ann.chat
    .getByRole('button', { name: 'What is the weather in Oslo?', exact: true })
    .waitFor()
  await ann.chat.getByRole('searchbox').fill('Paris')
  await ann.chat.locator('mark').first().waitFor()
  await shoot('history')
  await ann.page.keyboard.press('Escape')
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('a picture is described', async () => {
  const ann = await Person.at(site)
  const chooser = ann.page.waitForEvent('filechooser')
  await ann.button('Attach files').click()
  const picture = await ann.page.screenshot({ clip: { x: 0, y: 0, width: 64, height: 48 } })
  await (await chooser).setFiles({ name: 'sky.png', mimeType: 'image/png', buffer: picture })
  await ann.chat.getByRole('button', { name: 'Remove sky.png' }).waitFor()
  await ann.composer.fill('What do you see?')
  await ann.button('Send').click()
  await ann.text(/64 by 48 pixels/).waitFor()
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('an answer is stopped and requested again', async () => {
  const ann = await Person.at(site)
  await ann.say('Compare Rome, Tokyo and Cairo')
  await ann.button('Stop').click()
  await ann.button('Send').waitFor()
  await ann.ask('Compare Oslo and Cairo', /is the warmest now/)
  await ann.button('Good answer').last().click()
  await ann.button('Get another answer').last().click()
  await ann.button('Stop').waitFor()
  await ann.button('Send').waitFor()
  await ann.text(/is the warmest now/).waitFor()
  expect(ann.problems).toEqual([])
  await ann.leave()
})
