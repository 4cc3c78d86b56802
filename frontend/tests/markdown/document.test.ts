import fc from 'fast-check'
import { expect, test } from 'vitest'

import { MarkdownDocument } from '../../src/markdown/grammar/document'
import type { Node } from '../../src/markdown/grammar/node'
import { inParts, isLoose, viewOf, wholeTable } from '../../src/markdown/grammar/view'

/** Return the rendered parts of a tree: without positions, and with adjacent texts joined. */
function drawn(nodes: readonly Node[]): unknown {
  return JSON.parse(
    JSON.stringify(nodes, (key, value: unknown) => {
      if (key === 'start' || key === 'end') return undefined
      const node = value as Node | null
      return node?.type === 'list' ? { ...node, spread: isLoose(node) } : value
    }),
  )
}

function atOnce(text: string): unknown {
  const whole = new MarkdownDocument()
  whole.update(text, false)
  return shown(whole)
}

function streamed(text: string, cuts: readonly number[]): unknown {
  const document = new MarkdownDocument()
  for (const cut of cuts) document.update(text.slice(0, cut), true)
  document.update(text, false)
  return shown(document)
}

function shown(document: MarkdownDocument): unknown {
  const { blocks, notes } = viewOf(document, false)
  const noted = [...notes].map(([label, { children = [] }]) => [label, drawn(children)])
  return [drawn(blocks), document.references.labels().sort(), noted]
}

const PIECES = [
  'word',
  ' ',
  ' ',
  '\n',
  '\n',
  '\n\n',
  '\n\n',
  '- ',
  '1. ',
  '2. ',
  '* ',
  '> ',
  '# ',
  '```\n',
  '```',
  '~~~\n',
  '**',
  '*',
  '_',
  '~~',
  '`',
  '| a | b |\n| - | - |\n',
  '| c | d |\n',
  '| `c|d` | $|e|$ |\n| - | - |\n',
  '| `c|d | $|e|$ |\n',
  '[x]',
  '[x]: /url\n',
  '[^1]',
  '[^1]: note\n',
  '(/u)',
  '![',
  '    ',
  '  ',
  '\t',
  '$$',
  '$',
  '\\[',
  '\\]',
  '\\(',
  '\\)',
  'x = 1',
  '<details>\n',
  '</details>\n',
  '<summary>s</summary>\n',
  '<b>',
  '</b>',
  '<div>\n',
  '</div>\n',
  '<x-y>',
  '---\n',
  '===\n',
  '中文',
  '（注）',
  'https://a.test/b',
  '"title\n',
  '"',
  '\\',
  '&amp;',
  '<',
  '\r\n',
  '\r',
  '\ufeff',
  '+ b',
  '- [ ] ',
  '\\begin{align}\n',
  '\\end{align}\n',
  '$$\nx = 1\n$$\n',
  '```js\nx\n```\n',
  '[^1]: see [x]\n',
  '\n    [^2]\n',
  '[^2]: b\n',
  '[x]: /other "t"\n',
  '> [y]: /u\n',
  '- [^1]: [y]\n',
  '> | a |\n> | - |\n',
  '> <details>\n',
  '  word word\n',
  '<pre>\n',
  '</pre>\n',
  '$$\n',
  '\n$$\n',
  'x = 1\n\n',
  '\\text{a b}',
]

test('a growing text is rendered like the same text at once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }),
      fc.array(fc.nat(300), { maxLength: 30 }),
      (parts, at) => {
        const text = parts.join('')
        const cuts = at.filter((each) => each < text.length).sort((a, b) => a - b)
        expect(streamed(text, cuts)).toEqual(atOnce(text))
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  )
})

test.each([
  ['> [^1]<details>\n<pre>\n[^1]: see [x]\n', 27],
  ['- [^1]: [y]\nword- [^1]: [y]\n<pre>\n<summary>s</summary>\n', 28],
])('unclosed HTML in a quote or an item is the same if the text stops in it: %j', (text, cut) => {
  expect(streamed(text, [cut])).toEqual(atOnce(text))
})

test.each([
  'a[^1]\n\n[^1]: see [x] and [^2]\n\ntext\n\n[x]: /u\n\ntext\n\n[^2]: two\n\nend\n\nend',
  '> a[^1]\n>\n> [^1]: see [x]\n\ntext\n\n[x]: /u\n\ntext\n\ntext',
  `a[^1]\n\n[^1]: see [x]\n${'\n    word [x]\n'.repeat(300)}\n[x]: /u\n\nend`,
])('a note shows the links and notes that the text defines after it: %#', (text) => {
  const cuts = Array.from({ length: text.length / 7 }, (_, at) => at * 7)
  expect(JSON.stringify(atOnce(text))).toContain('linkReference')
  expect(streamed(text, cuts)).toEqual(atOnce(text))
})

test.each([
  ['items', 1_000, 'a', [100, 100, 100, 100, 100, 100, 100, 100, 100, 100]],
  ['long items', 30, 'a '.repeat(1_000), [9, 9, 9, 3]],
  ['few items', 100, 'a', [100]],
])('the parts of a list of %s hold all of it in order', (_, count, words, sizes) => {
  const text = `Before\n\n${`- ${words}\n`.repeat(count)}`
  const document = new MarkdownDocument()
  document.update(text, false)
  const [before, list] = viewOf(document, false).blocks as [Node, Node]
  expect(inParts(before)).toEqual([before])
  const parts = inParts(list)
  expect(parts.map(({ children }) => children?.length)).toEqual(sizes)
  expect(parts.flatMap(({ children }) => children)).toEqual(list.children)
  expect([parts[0]?.start, parts.at(-1)?.end]).toEqual([list.start, list.end])
  expect(parts.map(({ leader }) => leader)).toEqual(
    sizes.map((_, index) => (index === 0 ? undefined : list.children?.[0])),
  )
})

test.each([
  ['many lines', 'word word\n'.repeat(450), [undefined, true, true]],
  ['a long line', 'word '.repeat(1_500), [undefined, true]],
  ['two paragraphs', 'word\n\nword', [undefined, undefined]],
])('the parts of an overlong paragraph of %s go on from each other', (_, text, goOn) => {
  const document = new MarkdownDocument()
  for (let end = 500; end < text.length; end += 500) document.update(text.slice(0, end), true)
  document.update(text, false)
  const { blocks } = viewOf(document, false)
  expect(blocks.map(({ goesOn }) => goesOn)).toEqual(goOn)
  expect(shown(document)).toEqual(atOnce(text))
  expect(viewOf(document, false).blocks).toEqual(blocks)
})

test.each([
  ['few cells', 800, 1, [800]],
  ['many cells', 900, 2, [400, 400, 100]],
  ['many columns', 50, 200, [20, 20, 10]],
])(
  'the parts of a table of %s have its head and hold all of its rows',
  (_, count, width, sizes) => {
    const line = (cell: string): string => `|${` ${cell} |`.repeat(width)}\n`
    const rows = Array.from({ length: count }, (_, at) => line(String(at)))
    const text = `Before\n\n${line('a')}${line('-')}${rows.join('')}`
    const document = new MarkdownDocument()
    for (let end = 500; end < text.length; end += 500) {
      document.update(text.slice(0, end), true)
      for (const node of viewOf(document, true).blocks) inParts(node)
    }
    document.update(text, false)
    const [, table] = viewOf(document, false).blocks as [Node, Node]
    const parts = inParts(table)
    expect(parts.map(({ children = [] }) => children.length - 1)).toEqual(sizes)
    const [head, ...all] = table.children ?? []
    expect(parts.flatMap(({ children = [] }) => children.slice(1))).toEqual(all)
    for (const part of parts) {
      expect(part.children?.[0]).toBe(head)
      expect(wholeTable(part)).toBe(table)
    }
  },
)
