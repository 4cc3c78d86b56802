/** What a person reads in a thread. */

import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { open, Person, type Site } from './browser'

let site: Site

beforeAll(async () => {
  site = await open()
}, 60_000)
afterAll(() => site?.close())

async function reading(options: Parameters<typeof Person.at>[1] = {}): Promise<Person> {
  const ann = await Person.at(site, options)
  await ann.say('read')
  await ann.text('Whoever waits').waitFor()
  await ann.button('Send').waitFor()
  return ann
}

async function settled(person: Person): Promise<void> {
  expect(person.complaints).toEqual([])
  await person.page.context().close()
}

test('code is colored, and copied as it was written', async () => {
  const ann = await reading({ permissions: ['clipboard-read', 'clipboard-write'] })
  const block = ann.chat.locator('[data-streamdown=code-block]')
  const color = (word: string): Promise<string> =>
    block.getByText(word, { exact: true }).first().evaluate((each) => getComputedStyle(each).color)
  await expect.poll(() => color('def')).not.toBe(await color('(days: '))
  await block.getByRole('button', { name: 'Copy' }).click()
  const copied = await ann.page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toContain('def rain(days: int) -> str:\n    """Say how much it rains."""')
  await settled(ann)
})

test('math is set, and prices are not', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  await ann.chat.locator('.katex-display').waitFor()
  expect(await ann.chat.locator('.katex').count()).toBe(2)
  await ann.text('from $5 to $6 a day').waitFor()
  await settled(ann)
})

test('sources are numbered, marked where they are cited, and listed', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  const marks = ann.chat.locator('.source-mark')
  await marks.first().waitFor()
  expect(await marks.allTextContents()).toEqual(['1', '2', '1'])
  const first = ann.chat.getByRole('link', { name: 'Source 1: Weather of Oslo' }).first()
  expect(await first.getAttribute('href')).toBe('https://met.test/oslo')
  await first.hover()
  await ann.chat.locator('.source-card').getByText('met.test').first().waitFor()
  const listed = ann.chat.getByRole('list', { name: 'Sources' }).getByRole('listitem')
  expect(await listed.allTextContents()).toEqual(['1Weather of Oslo', '2Port log'])
  await settled(ann)
})

test('a link to the app tells the app', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  await ann.page.evaluate(() => {
    document.querySelector('openai-chatkit')?.addEventListener('chatkit.deeplink', (event) => {
      document.title = JSON.stringify((event as CustomEvent).detail)
    })
  })
  await ann.chat.getByRole('link', { name: 'Show the map' }).click()
  const expected = { name: 'map', data: { city: 'Oslo', zoom: '3' } }
  await expect.poll(() => ann.page.title()).toBe(JSON.stringify(expected))
  expect(ann.page.context().pages()).toHaveLength(1)
  await settled(ann)
})

test('what is wide scrolls by itself, and not the page', async () => {
  const ann = await reading({ viewport: { width: 360, height: 700 } })
  const table = ann.chat.locator('.markdown .wide-table')
  await expect.poll(() => table.evaluate((each) => each.scrollWidth > each.clientWidth)).toBe(true)
  const isWide = await table.evaluate(() => document.body.scrollWidth > window.innerWidth)
  expect(isWide).toBe(false)
  // A wheel over the table still moves the thread.
  const scroller = ann.chat.locator('.scroller')
  const top = (): Promise<number> => scroller.evaluate((each) => each.scrollTop)
  await scroller.evaluate((each) => (each.scrollTop = 0))
  await table.hover()
  await ann.page.mouse.wheel(0, 200)
  await expect.poll(top).toBeGreaterThan(50)
  await settled(ann)
})

test('what is selected in an answer can be asked about', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  const quoted = 'Whoever waits stays dry.'
  await ann.chat.locator('.markdown').getByText(quoted).selectText()
  await ann.page.keyboard.press('Shift')
  await ann.button('Quote').click()
  await ann.chat.locator('.composer').getByText(quoted).waitFor()
  expect(await ann.button('Quote').count()).toBe(0)
  await ann.page.keyboard.type('Why?')
  await ann.page.keyboard.press('Enter')
  await ann.chat.locator('.user .quote', { hasText: quoted }).waitFor()
  await ann.text(/You said Why\?, and I know 4/).waitFor()
  await settled(ann)
})

test('a message is edited, and the thread goes on from there', async () => {
  const ann = await Person.at(site)
  await ann.ask('First', /You said First, and I know 1/)
  await ann.ask('Second', /and I know 3/)
  await ann.ask('Third', /and I know 5/)
  const edit = (): Promise<void> => ann.button('Edit').nth(1).click()
  await edit()
  const editor = ann.chat.getByRole('textbox', { name: 'Edited message' })
  await editor.fill('Something')
  await editor.press('Escape')
  await ann.text('Second').waitFor()
  await edit()
  await editor.fill('Other')
  await editor.press('Enter')
  await ann.text(/You said Other, and I know 3/).waitFor()
  for (const word of ['Second', 'Third']) {
    expect(await ann.chat.locator('.items').getByText(word).count()).toBe(0)
  }
  await ann.button('Send').waitFor()
  await ann.page.reload()
  await ann.text(/You said Other, and I know 3/).waitFor()
  expect(await ann.chat.locator('.items article').count()).toBe(4)
  await settled(ann)
})

test('a thread is saved as a file of Markdown', async () => {
  const ann = await reading()
  const downloading = ann.page.waitForEvent('download')
  await ann.button('Export as Markdown').click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe('read.md')
  const text = readFileSync(await download.path(), 'utf8')
  expect(text).toMatch(/^# read\n\n## You\n\nread\n\n## Assistant\n\n# Rain in Oslo/)
  expect(text).toContain('on most days.[1] Ships')
  expect(text).toContain('1. [Weather of Oslo](https://met.test/oslo)\n2. Port log')
  await settled(ann)
})

test('an image opens large, and one that does not load says so', async () => {
  const ann = await Person.at(site)
  await ann.say('draw')
  const open = ann.button('Open image Generated image')
  await open.click()
  const dialog = ann.chat.getByRole('dialog')
  await dialog.waitFor()
  await ann.page.keyboard.press('Escape')
  await expect.poll(() => dialog.count()).toBe(0)
  expect(await open.evaluate((each) => each === document.activeElement)).toBe(true)
  await ann.say('draw badly')
  await ann.text('The image could not be loaded.').waitFor()
  await ann.page.context().close()
})
