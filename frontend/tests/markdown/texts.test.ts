import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { MarkdownDocument } from '../../src/markdown/grammar/document'
import { plainText } from '../../src/markdown/grammar/plainText'
import { viewOf } from '../../src/markdown/grammar/view'
import { drawnAtOnce, inShort } from './drawn'
import { TEXTS } from './texts'

/** Return what is drawn at last of a text that came in pieces of a number of characters. */
function drawnInPieces(text: string, size: number): string {
  const document = new MarkdownDocument()
  for (let end = size; end < text.length; end += size) document.update(text.slice(0, end), true)
  document.update(text, false)
  return inShort(viewOf(document.blocks, false))
}

/** An answer of more than 4,000 characters, of paragraphs alone. */
const LONG = 'A sentence of a long answer that goes on.\n\n'.repeat(100)

describe.each(Object.entries(TEXTS))('%s', (_kind, rows) => {
  test.each(rows)('%j', (text, seen) => {
    expect(drawnAtOnce(text)).toBe(seen)
    expect(drawnInPieces(text, 1)).toBe(seen)
    expect(drawnInPieces(text, 3)).toBe(seen)
  })

  test.each(rows)('%j in a list, in a quote, and in a long answer', (text) => {
    const inList = `- ${text.replaceAll('\n', '\n  ')}`
    const inQuote = `> ${text.replaceAll('\n', '\n> ')}`
    for (const each of [inList, inQuote]) {
      expect(drawnInPieces(each, 1)).toBe(drawnAtOnce(each))
    }
    expect(drawnAtOnce(LONG + text)).toBe(drawnAtOnce(LONG) + drawnAtOnce(text))
    expect(drawnInPieces(LONG + text, 97)).toBe(drawnAtOnce(LONG + text))
  })
})

test('there are at least 120 texts', () => {
  expect(Object.values(TEXTS).flat().length).toBeGreaterThanOrEqual(120)
})

test.each(['*a_', '**a *b ', '[a', '`a', '<a ', '$a ', '~~a ', '&a', '\\\\a'])(
  'of a great many %j, the rest is text, and the next paragraph is as ever',
  (mark) => {
    const hostile = mark.repeat(17_000)
    const drawn = drawnAtOnce(`${hostile}\n\n**after**`)
    expect(drawn.match(/a/g)?.length).toBeGreaterThanOrEqual(17_000)
    expect(drawn).toContain(mark.repeat(1_000).trim())
    expect(drawn.endsWith('‹p:‹b:after››')).toBe(true)
  },
)

/** Marks that hide no words of their own: what follows a fence names the code, and is left out here. */
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
  ],
]

test('no word is missing', () => {
  const part = fc.oneof(
    fc.constantFrom(...MARKS),
    fc.integer({ min: 0, max: 999 }).map((number) => `w${number}x`),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const text = parts.join('')
      // Addresses and names of code are not part of the text.
      fc.pre(!/\]\(|`{3}|~{3}/.test(text))
      const seen = plainText(text)
      for (const [word] of text.matchAll(/w\d+x/g)) expect(seen).toContain(word)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  )
})
