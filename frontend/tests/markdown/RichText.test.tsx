// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import { Markdown } from '../../src/markdown/Markdown'
import RichText from '../../src/markdown/RichText'
import { render } from '../render'

const draw = async (text: string): Promise<HTMLElement> => {
  await render(
    <div data-testid="text">
      <RichText text={text} marks={[]} isOpen={false} keepsLines />
    </div>,
    () => 404,
  )
  return screen.getByTestId('text')
}

/** Draw a text that is parsed in parts. */
const drawAll = async (text: string): Promise<HTMLElement> => {
  const element = await draw(text)
  await waitFor(() => expect(element.querySelector('.plain')).toBeNull(), { timeout: 30_000 })
  return element
}

test.each([
  '<script>alert(1)</script>',
  '<img src=x onerror="alert(1)">',
  '<svg onload="alert(1)"><script>alert(1)</script></svg>',
  '<iframe src="https://evil.test"></iframe>',
  '<object data="https://evil.test"></object><embed src="https://evil.test">',
  '<form action="https://evil.test"><button formaction="javascript:alert(1)">x</button></form>',
  '<style>body { display: none }</style>',
  '<link rel="stylesheet" href="https://evil.test/a.css">',
  '<meta http-equiv="refresh" content="0;url=https://evil.test">',
  '<base href="https://evil.test">',
  '<p style="position: fixed; inset: 0; background: url(https://evil.test)">x</p>',
  '<div onclick="alert(1)" onmouseover="alert(1)">x</div>',
  '<video src="https://evil.test/a.mp4" autoplay poster="https://evil.test/a.png"></video>',
  '<audio src="https://evil.test/a.mp3" autoplay></audio>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<input type="image" src="https://evil.test/a.png">',
  '<template><img src=x onerror=alert(1)></template>',
  '<details open ontoggle="alert(1)">x</details>',
  '<a href="javascript:alert(1)" target="_top">x</a>',
])('%s does no harm', async (html) => {
  const element = await draw(`Before\n\n${html}\n\nAfter`)
  const forbidden =
    'script, iframe, object, embed, form, style, link, meta, base, video, audio, svg[onload], math, template'
  expect(element.querySelectorAll(forbidden)).toHaveLength(0)
  for (const each of element.querySelectorAll('*')) {
    for (const { name, value } of each.attributes) {
      expect(name).not.toMatch(/^on|^style$|^formaction$|^srcset$|^ping$/)
      expect(value).not.toMatch(/^\s*javascript:|evil\.test/i)
    }
  }
  expect(element.textContent).toContain('Before')
  expect(element.textContent).toContain('After')
})

test.each([
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  ' javascript:alert(1)',
  'java\tscript:alert(1)',
  '&#106;avascript:alert(1)',
  'javascript&colon;alert(1)',
  '\u0001javascript:alert(1)',
  'vbscript:x',
  'data:text/html,<script>alert(1)</script>',
  'blob:https://evil.test/x',
  'file:///etc/passwd',
])('a link to %j leads nowhere', async (url) => {
  const element = await draw(`[words](<${url}>) and <a href="${url}">more</a>`)
  const links = [...element.querySelectorAll('a')].map((each) => each.getAttribute('href') ?? '')
  for (const href of links) expect(href).toMatch(/^https?:\/\//)
  expect(element.textContent).toContain('words')
})

test('IDs and names in a text cannot replace those of the page', async () => {
  const element = await draw(
    '<a id="app" name="cookie">x</a>\n\n<img name="body" id="root" alt="y">',
  )
  for (const each of element.querySelectorAll('[id], [name]')) {
    for (const name of ['id', 'name']) {
      const value = each.getAttribute(name)
      if (value !== null) expect(value).toMatch(/^user-content-/)
    }
  }
})

test.each([
  ['![x](https://evil.test/a.png)', false],
  ['![x](data:image/svg+xml;base64,PHN2Zz4=)', true],
  ['![x](data:image/svg+xml,%3Csvg/%3E)', true],
  ['![x](http://evil.test/a.png)', false],
  ['![x](data:text/html;base64,AAAA)', false],
  ['![x](data:image/png;base64,AAAA)', true],
])('%s is loaded: %s', async (text, isLoaded) => {
  const element = await draw(text)
  expect(element.querySelectorAll('img')).toHaveLength(isLoaded ? 1 : 0)
  if (!isLoaded) expect(element.textContent).toContain('x')
})

test('tables, tasks, footnotes and deleted text are rendered', async () => {
  const element = await draw(
    '| A | B |\n| - | - |\n| 1 | 2 |\n\n- [x] done\n- [ ] open\n  - nested\n\n~~old~~ and a note[^1].\n\n[^1]: The note.',
  )
  expect(element.querySelectorAll('.wide-table td')).toHaveLength(2)
  const boxes = [...element.querySelectorAll<HTMLInputElement>('input[type=checkbox]')]
  expect(boxes.map((each) => [each.checked, each.disabled])).toEqual([
    [true, true],
    [false, true],
  ])
  expect(element.querySelector('del')?.textContent).toBe('old')
  expect(element.textContent).toContain('The note.')
})

test('a footnote is shown once wherever it is defined', async () => {
  const element = await draw('A[^a]\n\n> [^a]: First')
  expect(element.textContent?.match(/First/g)).toHaveLength(1)
  expect([...element.querySelectorAll('.footnotes li')].map((each) => each.textContent)).toEqual([
    'First↩',
  ])
})

test('a definition is text until something refers to it', async () => {
  const text = '[a]: https://a.test/b\n[^n]: A **note**.\n\n- [a]: /c\n\n'
  const draw = (text: string, isOpen = true) => (
    <RichText text={text} marks={[]} isOpen={isOpen} keepsLines />
  )
  const { again } = await render(draw(text), () => 404)
  const lines = (): (string | null)[] =>
    [...document.querySelectorAll('.rich-text p, .rich-text > .piece li')].map(
      (each) => each.textContent,
    )
  const unused = ['[a]: https://a.test/b', '[^n]: A note.', '[a]: /c']
  await waitFor(() => expect(lines()).toEqual(unused))
  expect(document.querySelector('p > a')?.getAttribute('href')).toBe('https://a.test/b')
  again(draw(`${text}A [link][a]`))
  await waitFor(() => expect(lines()).toEqual([...unused.slice(1), 'A link']))
  again(draw(`${text}A [link][a][^n]`))
  await waitFor(() => expect(lines()).toEqual(['[a]: /c', 'A link1', 'A note.']))
  again(draw(`${text}A [link][a][^n]`, false))
  await waitFor(() => expect(lines()).toEqual(['[a]: /c', 'A link1', 'A note.']))
})

test('a letter with hundreds of combining marks can be broken', async () => {
  const text = `a${'\u0301'.repeat(500)}b`
  const element = await draw(`${text} \`${text}\`\n\n    ${text}`)
  expect(element.querySelector('p')?.textContent).toBe(`${text} ${text}`)
  expect(element.querySelector('pre')?.textContent).toBe(text)
  expect(element.querySelectorAll('wbr').length).toBeGreaterThan(20)
})

test('an overlong word is broken in text, but not in code', async () => {
  const word = '{!'.repeat(400)
  const element = await draw(`${word}\n\n    ${word}`)
  expect(element.querySelector('p')?.textContent).toBe(word)
  expect(element.querySelectorAll('p wbr')).toHaveLength(8)
  expect(element.querySelector('pre')?.textContent).toBe(word)
  expect(element.querySelectorAll('pre wbr')).toHaveLength(0)
})

test('the link to a footnote stays within its own text', async () => {
  const text = 'Words[^1]\n\n[^1]: The note.'
  const { person } = await render(
    <>
      <Markdown text={text.replace('The', 'Another')} />
      <Markdown text={text} />
    </>,
    () => 404,
  )
  Element.prototype.scrollIntoView = () => {}
  const links = await screen.findAllByRole('link', { name: '1' })
  await person.click(links[1] as HTMLElement)
  expect(document.activeElement?.textContent).toContain('The note.')
  expect(document.activeElement?.tagName).toBe('LI')
})

test('each block has its own direction', async () => {
  const element = await draw('Hello\n\nשלום עולם\n\n- مرحبا')
  const blocks = [...element.querySelectorAll('p, li')]
  expect(blocks.map((each) => each.getAttribute('dir'))).toEqual(['ltr', 'rtl', 'rtl'])
})

test.each([
  ['quotes', '>'.repeat(5_000)],
  ['lists', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth * 2)}- x`).join('\n')],
  ['brackets', '['.repeat(20_000)],
  ['stars', '*a '.repeat(10_000)],
  ['backticks', `${'`'.repeat(10_001)} ${'` '.repeat(5_000)}`],
  ['tags', '<a '.repeat(5_000)],
  ['dollars', '$a'.repeat(10_000)],
  ['a long word', 'x'.repeat(50_000)],
])('a great many %s are drawn', { timeout: 60_000 }, async (_, text) => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  await render(<Markdown text={`${text}\n\nAfter`} />, () => 404)
  await waitFor(() => expect(document.body.textContent).toContain('After'))
  await waitFor(() => expect(document.querySelector('p, .plain')).not.toBeNull())
})

test.each([
  ['lines', 'A line of text.\n'],
  ['words', 'word '],
])('all of a long text of %s is there before it is parsed', async (_, part) => {
  const text = `${part.repeat(Math.ceil(300_000 / part.length))}The end.`
  const element = await draw(text)
  expect(element.textContent?.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
})

test('a long list is drawn in parts that look like one list', async () => {
  const lines = Array.from({ length: 250 }, (_, at) => `${at + 3}. a`)
  const element = await drawAll(`${lines.join('\n')}\n\n253. a`)
  const lists = [...element.querySelectorAll('ol')]
  expect(lists.map((each) => [each.start, each.children.length])).toEqual([
    [3, 100],
    [103, 100],
    [203, 51],
  ])
  // The blank line before the last item makes the whole list loose.
  expect(lists.map((each) => each.className)).toEqual(['loose', 'loose goes-on', 'loose goes-on'])
})

test.each([
  ['an item', `- a\n${'  - b\n'.repeat(250)}`, 'li > .piece > ul'],
  ['a quote', '> - - b\n'.repeat(250), 'blockquote > .piece > ul'],
  ['details', `<details>\n\n${'- b\n'.repeat(250)}\n</details>`, 'details > .piece > ul'],
  ['a note', `[^1]\n\n[^1]: a\n${'    - b\n'.repeat(250)}`, '.footnotes li > .piece > ul'],
])('a long list in %s is drawn in pieces', async (_, text, lists) => {
  const element = await drawAll(text)
  const sizes = [...element.querySelectorAll(lists)].map((each) => each.children.length)
  expect(sizes).toEqual([100, 100, 50])
  expect(element.textContent?.match(/b/g)).toHaveLength(250)
})

test('many paragraphs in an item are drawn in pieces, after its first line', async () => {
  const element = await drawAll(`- **a**\n  > q\n\n${'  Some words.\n\n'.repeat(250)}- c`)
  const [item, last] = element.querySelectorAll('.rich-text > .piece > ul > li')
  expect(item?.querySelectorAll(':scope > .piece').length).toBeGreaterThan(5)
  expect(item?.querySelectorAll(':scope > .piece > p')).toHaveLength(251)
  expect(last?.querySelector('.piece')).toBeNull()
})

test('a long table is drawn in parts with its head, and copied as a whole', async () => {
  const user = userEvent.setup()
  const cells = Array.from({ length: 450 }, (_, at) => `${at}`)
  const element = await drawAll(
    `| A | B |\n| - | - |\n${cells.map((at) => `| ${at} | b |\n`).join('')}`,
  )
  const tables = [...element.querySelectorAll('table')]
  expect(tables.map((each) => each.querySelector('thead')?.textContent)).toEqual(['AB', 'AB'])
  const firsts = [...element.querySelectorAll('td:first-child')].map((each) => each.textContent)
  expect(firsts).toEqual(cells)
  await user.click(screen.getAllByLabelText('Copy as CSV')[0] as HTMLElement)
  const copied = await navigator.clipboard.readText()
  expect(copied.split('\r\n')).toEqual(['A,B', ...cells.map((at) => `${at},b`)])
})

test('a part of a long list has the direction of the whole list', async () => {
  const element = await drawAll(`- مرحبا\n${'- word\n'.repeat(150)}`)
  const lists = [...element.querySelectorAll('ul')]
  expect(lists.map((each) => [each.dir, each.className])).toEqual([
    ['rtl', ''],
    ['rtl', 'goes-on'],
  ])
})

test('many footnotes are numbered consecutively', async () => {
  const notes = Array.from({ length: 120 }, (_, at) => `a[^${at}]\n\n[^${at}]: n\n\n`)
  const element = await drawAll(notes.join(''))
  expect(element.querySelectorAll('.footnotes li')).toHaveLength(120)
  const lists = [...element.querySelectorAll<HTMLOListElement>('.footnotes ol')]
  expect(lists.map((each) => each.start)).toEqual([1, 51, 101])
})

test('a reference and a note that are defined far below lead there, and only then', async () => {
  const rest = 'Some words.\n\n'.repeat(600)
  const text = `A [link][a], ![image][a] and a note.[^n]\n\n${rest}[a]: https://a.test/b\n\n[^n]: The **note**.`
  const element = await draw(text)
  const [first] = element.querySelectorAll('p')
  expect(first?.querySelector('a')).toBeNull()
  await waitFor(() => expect(element.querySelector('.plain')).toBeNull(), { timeout: 30_000 })
  expect([...element.querySelectorAll('p a')].map((each) => each.getAttribute('href'))).toEqual([
    'https://a.test/b',
    '#user-content-fn-1',
  ])
  expect(element.querySelector('.footnotes li strong')?.textContent).toBe('note')
})

test('a note that is defined later changes the numbers of those after it', async () => {
  const text = '[^x]\n\n[a][u] [^b]\n\n[^b]: B\n\n'
  const draw = (text: string) => <RichText text={text} marks={[]} isOpen keepsLines />
  const { again } = await render(draw(text), () => 404)
  const lines = (): (string | null)[] =>
    [...document.querySelectorAll('.rich-text > .piece > p, .footnotes p')].map(
      (each) => each.textContent,
    )
  expect(lines()).toEqual(['[^x]', '[a][u] 1', 'B'])
  again(draw(`${text}[^x]: X\n\nMore`))
  await waitFor(() => expect(lines()).toEqual(['1', '[a][u] 2', 'More', 'X', 'B']))
  again(draw(`${text}[^x]: X\n\nMore\n\n[u]: /u\n\nEnd`))
  await waitFor(() => expect(lines()).toEqual(['1', 'a 2', 'More', 'End', 'X', 'B']))
})
