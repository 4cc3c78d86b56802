import fc from 'fast-check'
import { expect, test } from 'vitest'

import { withMarkedSource } from '../../src/markdown/grammar/marks'

/** A text in which `¦` marks the ends of citations. */
function marked(text: string): string {
  const marks = [...text.matchAll(/¦/g)].map((match, order) => ({
    index: match.index - order,
    number: order + 1,
  }))
  return withMarkedSource(text.replaceAll('¦', ''), marks)
}

test.each([
  ['It rains.¦', 'It rains.[1]'],
  ['It rains¦. Often¦.', 'It rains[1]. Often[2].'],
  ['It ra¦ins.', 'It rains[1].'],
  ['It rains.\n\n¦Often.', 'It rains.[1]\n\nOften.'],
  ['**It ra¦ins** often.', '**It rains**[1] often.'],
  ['[a li¦nk](https://a.test) on', '[a link](https://a.test)[1] on'],
  ['https://a.te¦st/b on', 'https://a.test/b[1] on'],
  ['`co¦de` on', '`code`[1] on'],
  ['$$x ¦+ 1$$ on', '$$x + 1$$[1] on'],
  ['```\nco¦de\n```\nand on¦', '```\ncode\n```\nand on[2]'],
  ['¦# Head', '# Head'],
  ['- one¦\n- two¦', '- one[1]\n- two[2]'],
  ['Both¦¦.', 'Both[1][2].'],
  ['| a |\n| - |\n| ce¦ll |', '| a |\n| - |\n| cell[1] |'],
  ['> a quote¦\n> goes¦ on', '> a quote[1]\n> goes[2] on'],
  ['H<sub>2¦</sub>O', 'H<sub>2</sub>[1]O'],
  ['1 \\* 2¦ &amp; 3¦', '1 \\* 2[1] &amp; 3[2]'],
])('%j', (text, expected) => {
  expect(marked(text)).toBe(expected)
})

test('a mark beyond the text stands at its end', () => {
  expect(withMarkedSource('It rains.', [{ index: 99, number: 1 }])).toBe('It rains.[1]')
  expect(withMarkedSource('', [{ index: 0, number: 1 }])).toBe('')
})

const texts = fc
  .array(
    fc.constantFrom('word', ' ', '\n', '`', '```', '[a](b)', '**', '$$', '|', '<b>', '- ', 'ü'),
  )
  .map((parts) => parts.join(''))

test('marks change nothing else', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(60)), (text, indices) => {
      const marks = indices.map((index, order) => ({ index, number: 1000 + order }))
      const result = withMarkedSource(text, marks)
      expect(result.replaceAll(/\[1\d{3}\]/g, '')).toBe(text)
      expect(result).not.toMatch(/^\[1\d{3}\]/m)
    }),
  )
})
