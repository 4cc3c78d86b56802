import fc from 'fast-check'
import { expect, test } from 'vitest'

import { partsOf } from '../../src/markdown/code'
import { withMarks } from '../../src/markdown/marks'

const short = (text: string): string =>
  text.replaceAll(/<source-mark number="(\d+)"><\/source-mark>/g, '⟦$1⟧')

/** A text in which `|` stands for where its citations end. */
function marked(text: string): string {
  const marks = [...text.matchAll(/\|/g)].map((match, order) => ({
    index: match.index - order,
    number: order + 1,
  }))
  return short(withMarks(text.replaceAll('|', ''), marks))
}

test.each([
  ['It rains.|', 'It rains.⟦1⟧'],
  ['It rains|. Often|.', 'It rains⟦1⟧. Often⟦2⟧.'],
  ['It ra|ins.', 'It rains⟦1⟧.'],
  ['It rains.\n\n|Often.', 'It rains.⟦1⟧\n\nOften.'],
  ['**It ra|ins** often.', '**It rains**⟦1⟧ often.'],
  ['[a li|nk](https://a.test) on', '[a link](https://a.test)⟦1⟧ on'],
  ['https://a.te|st/b on', 'https://a.test/b⟦1⟧ on'],
  ['`co|de` on', '`code`⟦1⟧ on'],
  ['$$x |+ 1$$ on', '$$x + 1$$⟦1⟧ on'],
  ['```\nco|de\n```\nand on|', '```\ncode\n```\nand on⟦2⟧'],
  ['|# Head', '# Head'],
  ['- one|\n- two|', '- one⟦1⟧\n- two⟦2⟧'],
  ['Both||.', 'Both⟦1⟧⟦2⟧.'],
])('%j', (text, expected) => {
  expect(marked(text)).toBe(expected)
})

test('a mark beyond the text stands at its end', () => {
  expect(short(withMarks('It rains.', [{ index: 99, number: 1 }]))).toBe('It rains.⟦1⟧')
  expect(withMarks('', [{ index: 0, number: 1 }])).toBe('')
})

const texts = fc
  .array(
    fc.constantFrom('word', ' ', '\n', '`', '```', '[a](b)', '**', '$$', '|', '<b>', '- ', 'ü'),
  )
  .map((parts) => parts.join(''))

test('marks change nothing else, and parts join to the text', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(60)), (text, indices) => {
      const marks = indices.map((index, order) => ({ index, number: order }))
      const result = withMarks(text, marks)
      expect(result.replaceAll(/<source-mark number="\d+"><\/source-mark>/g, '')).toBe(text)
      expect(result).not.toMatch(/^<source-mark/m)
      expect(
        partsOf(text)
          .map((part) => part.text)
          .join(''),
      ).toBe(text)
    }),
  )
})
