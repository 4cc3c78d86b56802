import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { MarkdownDocument } from '../../src/markdown/grammar/document'
import { walk, type Node } from '../../src/markdown/grammar/node'
import { plainText } from '../../src/markdown/grammar/plainText'
import { viewOf } from '../../src/markdown/grammar/view'
import { drawnAtOnce, drawnInPieces } from './drawn'
import { TEXTS } from './texts'
import { inCell, variantsOf } from './variants'

/** An answer of more than 4,000 characters that has only paragraphs. */
const LONG = 'A sentence of a long answer that goes on.\n\n'.repeat(100)
const DRAWN_LONG = drawnAtOnce(LONG)

describe.each(Object.entries(TEXTS))('%s', (_kind, rows) => {
  test.each(rows)('%j', (text, seen) => {
    expect(drawnAtOnce(text)).toBe(seen)
    expect(drawnInPieces(text, 1)).toBe(seen)
    expect(drawnInPieces(text, 3)).toBe(seen)
  })

  test.each(rows)('%j in a list, in a quote, in a table, and in a long answer', (text) => {
    for (const each of variantsOf(text)) {
      expect(drawnInPieces(each, 1)).toBe(drawnAtOnce(each))
    }
    const drawn = drawnAtOnce(LONG + text)
    expect(drawn).toBe(DRAWN_LONG + drawnAtOnce(text))
    expect(drawnInPieces(LONG + text, 97)).toBe(drawn)
  })
})

const LINES = Object.values(TEXTS)
  .flat()
  .filter(([text, seen]) => seen.startsWith('‹p:') && !text.includes('\n'))

test.each(LINES)('%j is rendered the same in a table cell', (text, seen) => {
  const cell = seen.replace(/^‹p:/, '‹td:')
  const rows = ['one', 'two'].map((name) => `‹tr:‹td:${name}›${cell}›`)
  expect(drawnAtOnce(inCell(text))).toBe(`‹table:‹tr:‹td:Name›‹td:Text››${rows.join('')}›`)
})

test('there are at least 120 texts', () => {
  expect(Object.values(TEXTS).flat().length).toBeGreaterThanOrEqual(120)
})

test.each(['*a_', '**a *b ', '[a', '`a', '<a ', '$a ', '~~a ', '&a', '\\\\a'])(
  'thousands of %j become text, and do not affect the next paragraph',
  (mark) => {
    const hostile = mark.repeat(17_000)
    const drawn = drawnAtOnce(`${hostile}\n\n**after**`)
    expect(drawn.match(/a/g)?.length).toBeGreaterThanOrEqual(17_000)
    expect(drawn).toContain(mark.repeat(400).trim())
    expect(drawn.endsWith('‹p:‹b:after››')).toBe(true)
  },
)

test('unclosed formulas are text, and so are overlong rows and paragraphs', () => {
  expect(drawnAtOnce('\\[\na\n'.repeat(5_000))).toContain('a\n[\na')
  const row = `|${' a |'.repeat(1_000)}`
  expect(drawnAtOnce(`${row}\n|${'-|'.repeat(1_000)}`)).toContain(`‹p:${row}`)
  const wide = (cell: string): string => `|${` ${cell} |`.repeat(200)}\n`
  expect(drawnAtOnce(wide('a') + wide('-') + wide('b'))).toMatch(
    /^‹table:(?:‹tr:(?:‹td:[ab]›){200}›){2}›$/,
  )
  const lines = 'line\n'.repeat(500)
  expect(drawnAtOnce(lines).match(/‹p:/g)).toHaveLength(3)
  expect(drawnInPieces(lines, 997)).toBe(drawnAtOnce(lines))
})

/** Markup that contains no words; the name after a fence is left out here. */
const MARKS = [
  ...[' ', ' ', '\n', '\n\n', '- ', '1. ', '> ', '# ', '**', '*', '_', '~', '~~', '`', '|', '$'],
  ...[
    '$$',
    '\\[',
    '\\]',
    '\\(',
    '\\)',
    '[',
    ']',
    '(',
    '<',
    '>',
    '</',
    '<b>',
    '</b>',
    '<div>',
    '</div>',
  ],
  ...[
    '<script>',
    '</script>',
    '<!--',
    '-->',
    '&',
    '\\',
    '（',
    '）',
    '    ',
    '| a | b |\n| - | - |\n',
    '[^a]: ',
    '[^a]',
    '[^b]: ',
    ']: ',
  ],
]

/** Return the sources of the definitions that are not shown. */
function addressesIn(nodes: readonly Node[]): string {
  const labels = new Set<string>()
  const definitions: Node[] = []
  for (const node of nodes)
    walk(node, (each) => {
      if (/^(?:link|image)Reference$/.test(each.type)) labels.add(each.identifier ?? '')
      if (each.type === 'definition') definitions.push(each)
    })
  for (const { identifier = '' } of definitions) expect(labels).toContain(identifier)
  return definitions.map(({ source }) => source).join(' ')
}

test('no word is missing', () => {
  const part = fc.oneof(
    fc.constantFrom(...MARKS),
    fc.integer({ min: 0, max: 999 }).map((number) => `w${number}x`),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const text = parts.join('')
      // Addresses and the names of code blocks are not part of the text.
      fc.pre(!/\]\(|`{3}|~{3}/.test(text))
      const document = new MarkdownDocument()
      document.update(text, false)
      const seen = plainText(document)
      const used = addressesIn(viewOf(document, false).blocks)
      for (const [word] of text.matchAll(/w\d+x/g)) expect(seen + used).toContain(word)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  )
})
