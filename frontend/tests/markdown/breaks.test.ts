/** Overlong lines and blocks are broken, and no word of them is lost. */

import { expect, test } from 'vitest'

import { MarkdownDocument } from '../../src/markdown/grammar/document'
import { wordsOf } from '../../src/markdown/grammar/node'
import { viewOf } from '../../src/markdown/grammar/view'
import { COSTLY } from './costly'
import { drawnAtOnce, drawnInPieces, inShort } from './drawn'

const words = (count: number): string => 'word '.repeat(count).trim()

test.each([
  ['a line', words(3_000)],
  ['a word', 'x'.repeat(12_000)],
  ['emoji', '👍'.repeat(6_000)],
  ['a line of a list', `- ${words(3_000)}\n- next`],
  ['a line of code', `\`\`\`json\n${words(3_000)}\n# code\n\`\`\`\n\n# after`],
  ['a line of code in a list', `- a\n  \`\`\`\n  ${words(3_000)}\n  # code\n  \`\`\`\n- b`],
  ['a quote', `${'> some words of a quote\n'.repeat(2_000)}\nafter`],
  ['a list in a list', `- a\n${'  - some words\n'.repeat(2_000)}- b`],
  ['code in a list', `- a\n\n  \`\`\`\n${'  # some code\n'.repeat(3_000)}  \`\`\`\n- b`],
  ['deep lists', Array.from({ length: 200 }, (_, at) => `${'  '.repeat(at)}- x`).join('\n')],
  ['indented code', '    some code\n'.repeat(4_000)],
  ['lines of HTML', '<div>some words</div>\n'.repeat(2_000)],
])('%s without end is the same at once and in pieces', (_, text) => {
  const drawn = drawnAtOnce(text)
  expect(drawnInPieces(text, 1_999)).toBe(drawn)
  expect(drawnInPieces(text, 7_001)).toBe(drawn)
  const count = (where: string): number => where.match(/word|x|👍|code|after|next/g)?.length ?? 0
  expect(count(drawn)).toBe(count(text.replaceAll('```json', '')))
})

test('a broken line of code stays one block, and text after the block is not code', () => {
  const code = words(3_000)
  const drawn = drawnAtOnce(`\`\`\`json\n${code}\n# code\n\`\`\`\n\n# after`)
  expect(drawn).toBe(`‹pre:${code}\n# code›‹h1:after›`)
  const nested = drawnAtOnce(`- a\n  \`\`\`\n  ${code}\n  \`\`\`\n- b`)
  expect(nested).toBe(`‹list:‹li:‹p:a›‹pre:${code}››‹li:‹p:b›››`)
})

test("an image's data is not broken", () => {
  const url = `data:image/png;base64,${'iVBORw0KGgo'.repeat(9_000)}=`
  const text = `Here it is: ![a plot](${url}) and ${words(400)}`
  expect(drawnAtOnce(text)).toBe(`‹p:Here it is: ‹image ${url}:a plot› and ${words(400)}›`)
  expect(drawnInPieces(text, 20_011)).toBe(drawnAtOnce(text))
})

const ITEM = '‹li:‹p:a›‹list:‹li:‹p:b››››'

test.each([
  ['a quote', '> - a\n>   - b\n'.repeat(800), `‹quote:‹list:${ITEM.repeat(800)}››`],
  [
    'an item',
    `- a\n${'  1. b\n     c\n'.repeat(800)}- d`,
    `‹list:‹li:‹p:a›‹list:${'‹li:‹p:b\nc››'.repeat(800)}››‹li:‹p:d›››`,
  ],
  [
    'an item with paragraphs',
    `10. a\n${'\n    b\n'.repeat(800)}11. c`,
    `‹list:‹li:‹p:a›${'‹p:b›'.repeat(800)}›‹li:‹p:c›››`,
  ],
  [
    'a table in a quote',
    `> | a |\n> | :-: |\n${'> | b |\n'.repeat(800)}`,
    `‹quote:‹table:‹tr:‹td:a››${'‹tr:‹td:b››'.repeat(800)}››`,
  ],
  [
    'details in a quote',
    `> <details>\n> <summary>s</summary>\n>\n${'> - a\n'.repeat(800)}>\n> </details>\n> c`,
    `‹quote:‹details:‹summary:s›‹list:${'‹li:‹p:a››'.repeat(800)}››‹p:c››`,
  ],
  [
    'a quote in an item',
    `* a\n${'  > - b\n  >\n  >   c\n'.repeat(500)}`,
    `‹list:‹li:‹p:a›‹quote:‹list:${'‹li:‹p:b›‹p:c››'.repeat(500)}››››`,
  ],
])('%s stays one block, however long it is', (_, text, drawn) => {
  expect(drawnAtOnce(text)).toBe(drawn)
  expect(drawnInPieces(text, 997)).toBe(drawn)
})

test.each([
  ['\n    b\n', '‹p:b›'.repeat(800)],
  ['    - b\n      - c\n', `‹list:${'‹li:‹p:b›‹list:‹li:‹p:c››››'.repeat(800)}›`],
  ['    > - b\n    >   c\n', `‹quote:‹list:${'‹li:‹p:b\nc››'.repeat(800)}››`],
])('a note with many %j stays one note', (part, drawn) => {
  const text = `[^x]: a\n${part.repeat(800)}\nend[^x]`
  const noteOf = (size: number): string => {
    const document = new MarkdownDocument()
    for (let end = size; end < text.length; end += size) document.update(text.slice(0, end), true)
    document.update(text, false)
    expect(inShort(viewOf(document, false).blocks)).toBe('‹p:end‹note:››')
    return inShort(document.references.get('^X')?.children)
  }
  expect(noteOf(text.length)).toBe(`‹p:a›${drawn}`)
  expect(noteOf(997)).toBe(`‹p:a›${drawn}`)
})

const CODE = Array.from({ length: 400 }, (_, at) =>
  at % 9 === 0 ? `\n# ${at}\n\n\n- x` : `  const a${at} = 1`,
).join('\n')

test.each([
  ['an item', '- a\n\n  ', '  '],
  ['the first line of an item', '1. ', '   '],
  ['a quote', '> ', '> '],
  ['a quote in an item in an item', '- a\n  1. b\n     > ', '     > '],
])('code in %s stays one block, however long it is', (_, open, indent) => {
  for (const fence of ['```', '~~~~'])
    for (const ending of ['\n', '\r\n']) {
      const lines = `${fence}js\n${CODE}\n${fence}`.replaceAll('\n', `\n${indent}`)
      const text = `${open}${lines}\n\nafter`.replaceAll('\n', ending)
      const drawn = drawnAtOnce(text)
      expect(drawn.replaceAll('\r\n', '\n')).toContain(`‹pre:${CODE}›`)
      expect(drawn.endsWith('›‹p:after›')).toBe(true)
      expect(drawnInPieces(text, 997)).toBe(drawn)
      expect(drawnInPieces(text.slice(0, -40), 97)).toBe(drawnAtOnce(text.slice(0, -40)))
    }
})

test('a quote of many pages is several quotes with the same items', () => {
  const text = '> - a\n>   - b\n'.repeat(3_000)
  const drawn = drawnAtOnce(text)
  expect(drawnInPieces(text, 4_999) === drawn).toBe(true)
  expect(drawn.match(/‹quote:‹list:/g)).toHaveLength(3)
  expect(drawn.match(/‹li:‹p:a›/g)).toHaveLength(3_000)
  expect(drawn.match(/‹list:‹li:‹p:b››/g)).toHaveLength(3_000)
})

test('a table after a byte order mark keeps its rows', () => {
  const text = '\ufeff| a | b |\n| - | - |\n| c | d |\n| e | f |'
  const drawn = '‹table:‹tr:‹td:a›‹td:b››‹tr:‹td:c›‹td:d››‹tr:‹td:e›‹td:f›››'
  expect(drawnAtOnce(text)).toBe(drawn)
  expect(drawnInPieces(text, 1)).toBe(drawn)
})

const LONG: [string, number][] = [
  ['defined notes', 4_000],
  ['references, then definitions', 4_000],
  ['numbered items', 4_000],
  ['html lines', 45_000],
  ['code between lines of text', 4_000],
  ['formulas between lines of text', 4_000],
  ['opened formulas on lines', 8_000],
  ['opened formulas before lists', 8_000],
  ['opened environments', 8_000],
  ['opened dollars on lines', 8_000],
  ['dollars before lists', 8_000],
  ['a formula of many lines without end', 12_000],
  ['a long note', 6_000],
  ['lists in a note', 6_000],
  ['tasks in lists in quotes', 6_000],
  ['items in items', 6_000],
  ['tables in quotes', 6_000],
  ['code in an item', 6_000],
  ['code in a quote', 6_000],
  ['code in a note', 6_000],
]

test.each(LONG)('most blocks of %s are finished before the text ends', (name, most) => {
  const text = COSTLY[name]?.slice(0, 2 * most + 12_000) ?? ''
  const document = new MarkdownDocument()
  for (let end = 4_000; end < text.length; end += 4_000) {
    document.update(text.slice(0, end), true)
    expect(end - document.finished).toBeLessThan(most)
  }
})

test.each([
  '\\[ x = 1\n',
  '\\begin{align}\na &= b\n',
  '\\begin{align}\na\n\\begin{gather}\nb\n\\[ c\n',
  '$$\n- some words\n',
  'text\n\\[ x = 1\n',
])('%j without end is text up to the next formula, at once and in pieces', (opened) => {
  const text = `${opened.repeat(400)}\n\\[ y \\]\n`
  const drawn = drawnAtOnce(text)
  expect(drawnInPieces(text, 97)).toBe(drawn)
  expect(drawn.endsWith('‹math:y›')).toBe(true)
  expect(drawn.match(/‹math:/g)).toHaveLength(1)
})

test('a formula of many lines is a formula, but one of too many is text', () => {
  const formula = (rows: number): string => `$$\n${'a &= b \\\\\n'.repeat(rows)}$$`
  expect(drawnInPieces(formula(150), 97)).toMatch(/^‹math:a/)
  expect(drawnAtOnce(formula(150))).toMatch(/^‹math:a/)
  expect(drawnInPieces(formula(600), 97)).toBe(drawnAtOnce(formula(600)))
  expect(drawnAtOnce(formula(600)).match(/&= b/g)).toHaveLength(600)
})

test('no letter of a costly text is missing', () => {
  for (const name of ['delimiters in turn', 'quotes in one line', 'a wide row', 'pipes']) {
    const text = COSTLY[name] ?? ''
    const document = new MarkdownDocument()
    document.update(text, false)
    const seen = viewOf(document, false).blocks.map(wordsOf).join('')
    expect(seen.match(/b/g)?.length).toBe(text.match(/b/g)?.length)
  }
})
