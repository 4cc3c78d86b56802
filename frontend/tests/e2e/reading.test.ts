/** Reading a thread. */

import { text as contentOf } from 'node:stream/consumers'

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { openThread } from './openThread'

const site = openedSite()

async function reading(options: Parameters<typeof Person.at>[1] = {}): Promise<Person> {
  const ann = await Person.at(site, options)
  await ann.say('read')
  await ann.text('Whoever waits').waitFor()
  await ann.button('Send').waitFor()
  return ann
}

async function settled(person: Person): Promise<void> {
  expect(person.problems).toEqual([])
  await person.leave()
}

test('code is colored, indented, and copied as it was written', async () => {
  const ann = await reading({ permissions: ['clipboard-read', 'clipboard-write'] })
  const block = ann.chat.locator('.code-block')
  const color = (word: string): Promise<string> =>
    block
      .getByText(word, { exact: true })
      .first()
      .evaluate((each) => getComputedStyle(each).color)
  await expect.poll(() => color('def')).not.toBe(await color('(days: '))
  const code = 'def rain(days: int) -> str:\n    """Say how much it rains."""'
  await expect.poll(() => block.locator('pre').innerText()).toContain(code)
  await block.getByRole('button', { name: 'Copy' }).click()
  await expect.poll(() => ann.page.evaluate(() => navigator.clipboard.readText())).toContain(code)
  await settled(ann)
})

test.each(['light', 'dark'] as const)('an answer is accessible, %s', async (colorScheme) => {
  const ann = await reading({ colorScheme, viewport: { width: 1000, height: 1400 } })
  const word = ann.chat.locator('.code-block').getByText('# approximately').first()
  await word.waitFor()
  expect(await ann.violations()).toEqual([])
  await settled(ann)
})

test('formulas are rendered, and prices stay text', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  await ann.chat.locator('.katex-display').waitFor()
  await expect.poll(() => ann.chat.locator('.katex').count()).toBe(2)
  await ann.text('from $5 to $6 a day').waitFor()
  await settled(ann)
})

test('sources are numbered, marked where they are cited, and listed', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  const marks = ann.chat.locator('.source-mark')
  await marks.first().waitFor()
  await expect.poll(() => marks.allTextContents()).toEqual(['1', '2', '1'])
  const first = ann.chat.getByRole('link', { name: 'Source 1: Weather of Oslo' }).first()
  await expect.poll(() => first.getAttribute('href')).toBe('https://met.test/oslo')
  await first.hover()
  await ann.chat.locator('.source-card').getByText('met.test').first().waitFor()
  const listed = ann.chat.getByRole('list', { name: 'Sources' }).getByRole('listitem')
  await expect.poll(() => listed.allTextContents()).toEqual(['1Weather of Oslo', '2Port log'])
  await settled(ann)
})

test('a deep link notifies the app', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  await ann.page.evaluate(() => {
    document.querySelector('openai-chatkit')?.addEventListener('chatkit.deeplink', (event) => {
      document.title = JSON.stringify((event as CustomEvent).detail)
    })
  })
  const before = ann.page.context().pages().length
  await ann.chat.getByRole('link', { name: 'Show the map' }).click()
  const expected = { name: 'map', data: { city: 'Oslo', zoom: '3' } }
  await expect.poll(() => ann.page.title()).toBe(JSON.stringify(expected))
  expect(ann.page.context().pages()).toHaveLength(before)
  await settled(ann)
})

test('a wide table scrolls by itself, not with the page', async () => {
  const ann = await reading({ viewport: { width: 360, height: 700 } })
  const table = ann.chat.locator('.markdown .wide-table')
  await expect.poll(() => table.evaluate((each) => each.scrollWidth > each.clientWidth)).toBe(true)
  const isWide = await table.evaluate(() => document.body.scrollWidth > window.innerWidth)
  expect(isWide).toBe(false)
  // A wheel over the table still scrolls the thread.
  const scroller = ann.chat.locator('.scroller')
  const top = (): Promise<number> => scroller.evaluate((each) => each.scrollTop)
  await scroller.evaluate((each) => (each.scrollTop = 0))
  await table.hover()
  await ann.page.mouse.wheel(0, 200)
  await expect.poll(top).toBeGreaterThan(50)
  await settled(ann)
})

test('text selected in an answer can be quoted', async () => {
  const ann = await reading({ viewport: { width: 1000, height: 1400 } })
  const quoted = 'Whoever waits stays dry.'
  // The text is rendered again when the code for highlighting and math has loaded.
  await ann.chat.locator('.katex-display').waitFor()
  await expect.poll(() => ann.chat.locator('.markdown pre span[style]').count()).toBeGreaterThan(0)
  await ann.chat.locator('.markdown').getByText(quoted).selectText()
  await ann.page.keyboard.press('Shift')
  await ann.button('Quote').click()
  await ann.chat.locator('.composer').getByText(quoted).waitFor()
  await expect.poll(() => ann.button('Quote').count()).toBe(0)
  await ann.page.keyboard.type('Why?')
  await ann.page.keyboard.press('Enter')
  await ann.chat.locator('.user .quote', { hasText: quoted }).waitFor()
  await ann
    .text(/You said .*referring to this in particular:\s+Whoever waits stays dry\./)
    .waitFor()
  await ann.text(/Why\?.*, and I know 3/).waitFor()
  await settled(ann)
})

test('an edited message replaces the items after it', async () => {
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
    await expect.poll(() => ann.chat.locator('.items').getByText(word).count()).toBe(0)
  }
  await ann.button('Send').waitFor()
  await ann.page.reload()
  await ann.text(/You said Other, and I know 3/).waitFor()
  await expect.poll(() => ann.chat.locator('.items article').count()).toBe(4)
  await settled(ann)
})

test('a thread is saved as a Markdown file', async () => {
  const ann = await reading()
  const downloading = ann.page.waitForEvent('download')
  await ann.button('Export as Markdown').click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe('read.md')
  const text = await contentOf(await download.createReadStream())
  expect(text).toMatch(/^# read\n\n## You\n\nread\n\n## Assistant\n\n# Rain in Oslo/)
  expect(text).toContain('on most days.[1] Ships')
  expect(text).toContain('1. [Weather of Oslo](https://met.test/oslo)\n2. Port log')
  await settled(ann)
})

test('an image opens large, and a broken one says so', async () => {
  const ann = await Person.at(site)
  await ann.say('draw')
  const open = ann.button('Open image Generated image')
  await open.click()
  const dialog = ann.chat.getByRole('dialog')
  await dialog.waitFor()
  await ann.page.keyboard.press('Escape')
  await expect.poll(() => dialog.count()).toBe(0)
  await expect.poll(() => open.evaluate((each) => each === document.activeElement)).toBe(true)
  await ann.say('draw badly')
  await ann.text('The image could not be loaded.').waitFor()
  await ann.leave()
})

test('every kind of item is shown, except hidden ones', async () => {
  for (const [theme, width] of [
    ['light', 1000],
    ['dark', 390],
  ] as const) {
    const ann = await Person.at(site, { viewport: { width, height: 2400 } })
    const threadItemActions = { feedback: true, retry: true, edit: true }
    await ann.setOptions({ theme, threadItemActions })
    await ann.ask('everything', 'The model is busy at the moment.')
    await ann.text('Looked into the weather').waitFor()
    await ann.chat.getByRole('link', { name: 'Weather report 0 met.test' }).waitFor()
    await expect.poll(() => ann.chat.getByText('A secret').count()).toBe(0)
    await expect.poll(() => ann.button('Good answer').count()).toBe(1)
    await ann.button('Thought for 1 minute, 15 seconds').click()
    await ann.text('The person asks for rain.').waitFor()
    expect(await ann.violations()).toEqual([])
    await ann.button('Open image Generated image').click()
    const downloading = ann.page.waitForEvent('download')
    await ann.chat.getByRole('link', { name: 'Download' }).click()
    expect((await downloading).suggestedFilename()).toMatch(/^Generated image/)
    expect(await ann.violations()).toEqual([])
    await settled(ann)
  }
})

test('unfinished items show their progress until they are stopped', async () => {
  const ann = await Person.at(site, { viewport: { width: 800, height: 1400 } })
  await ann.say('unfinished')
  await ann.text('Asking the harbor').waitFor()
  await ann.text('Using get location').waitFor()
  const progress = ann.chat.getByRole('progressbar')
  await expect.poll(() => progress.evaluate((each: HTMLProgressElement) => each.value)).toBe(0.4)
  await expect.poll(() => ann.chat.getByText('Running').count()).toBe(3)
  expect(await ann.violations()).toEqual([])
  await ann.button('Stop').click()
  await ann.button('Send').waitFor()
  for (const gone of ['Asking the harbor', 'Drawing…']) {
    await expect.poll(() => ann.chat.locator('.items').getByText(gone).count()).toBe(0)
  }
  await settled(ann)
})

test('a long thread opens at its end, and loading older items does not move it', async () => {
  const ann = await Person.at(site, { viewport: { width: 800, height: 700 } })
  await ann.say('long')
  await ann.text(/^Message 159\./).waitFor()
  await ann.button('Send').waitFor()
  await ann.page.reload()
  await ann.text(/^Message 159\./).waitFor()
  const scroller = ann.chat.locator('.scroller')
  const rest = (): Promise<number> =>
    scroller.evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight)
  await expect.poll(rest).toBeLessThan(2)
  const articles = ann.chat.locator('article')
  const waiting: (() => void)[] = []
  await ann.page.route('**/chatkit', async (route) => {
    const isOlder = route.request().postData()?.includes('items.list')
    if (isOlder) await new Promise<void>((resolve) => waiting.push(resolve))
    await route.continue()
  })
  for (const isByWheel of [true, false]) {
    const count = await articles.count()
    await scroller.hover()
    for (let turns = 0; waiting.length === 0 && turns < 100; turns++) {
      if (isByWheel) await ann.page.mouse.wheel(0, -300)
      else await scroller.evaluate((each) => (each.scrollTop = 0))
      await ann.page.waitForTimeout(50)
    }
    await ann.page.waitForTimeout(300)
    const seen = await scroller.evaluateHandle(
      (each) =>
        [...each.querySelectorAll('article')].find(
          (article) => article.getBoundingClientRect().bottom > 350,
        )!,
    )
    const top = (): Promise<number> => seen.evaluate((each) => each.getBoundingClientRect().top)
    const before = await top()
    for (const go of waiting.splice(0)) go()
    await expect.poll(() => articles.count()).toBeGreaterThan(count)
    for (let frames = 0; frames < 5; frames++) {
      expect(Math.abs((await top()) - before)).toBeLessThanOrEqual(2)
      await ann.page.waitForTimeout(50)
    }
  }
  await ann.button('Scroll to the end').click()
  await expect.poll(rest).toBeLessThan(2)
  await expect.poll(() => ann.button('Scroll to the end').count()).toBe(0)
  await ann.page.unrouteAll({ behavior: 'ignoreErrors' })
  await settled(ann)
})

test('the end of a long thread is rendered first, and stays in place while the rest is rendered', async () => {
  const ann = await Person.at(site, { viewport: { width: 800, height: 700 } })
  const watched = await ann.page.frames()[1]?.evaluateHandle(() => {
    const seen = { first: 0, moved: 0 }
    let top = 0
    const look = (): void => {
      const items = document.querySelectorAll('article')
      if (items.length > 0) {
        const last = items.item(items.length - 1).getBoundingClientRect().top
        seen.first ||= items.length
        if (items.length > seen.first) seen.moved = Math.max(seen.moved, Math.abs(last - top))
        top = last
      }
      next()
    }
    // Wait until the layout is done and painted.
    const next = (): number => requestAnimationFrame(() => setTimeout(look))
    next()
    return seen
  })
  await openThread(
    ann,
    Array.from({ length: 1_500 }, (_, index) => `Message ${index}.`),
  )
  await expect.poll(() => ann.chat.locator('article').count()).toBe(1_500)
  const seen = await watched?.jsonValue()
  expect(seen?.first).toBeLessThan(200)
  expect(seen?.moved).toBeLessThanOrEqual(2)
  await settled(ann)
})
