import fc from 'fast-check'
import { expect, test } from 'vitest'

import { MarkdownChunks } from '../../src/markdown/chunks'

const paragraph = 'word '.repeat(500).trim()

test('a long text is cut between paragraphs', () => {
  const chunks = new MarkdownChunks().of(`${Array(5).fill(paragraph).join('\n\n')}\n`)
  expect(chunks.map((chunk) => chunk.length)).toEqual(
    [5000, 5000, 2500].map((each, index) => (index < 2 ? each + 2 : each)),
  )
})

test.each([
  ['a fence', '```\n', '\n```\n'],
  ['a list', '- ', '\n'],
  ['a table', '| a |\n| - |\n| ', ' |\n'],
])('nothing is cut within %s', (_, before, after) => {
  const text = `${before}${paragraph}\n\n  ${paragraph}\n\n  ${paragraph}${after}`
  const cut = new MarkdownChunks().of(before.startsWith('`') ? text.replaceAll('  w', 'w') : text)
  expect(cut).toHaveLength(1)
})

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom('\n', '\n\n', '```\n', '- item\n', '# Title\n', '> quote\n', paragraph),
    fc.string(),
  ),
)

test('pieces join to the text, and a piece that is followed by another stays as it is', () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const chunks = new MarkdownChunks()
      let text = ''
      let before = chunks.of('')
      for (const part of parts) {
        text += part
        const now = chunks.of(text)
        expect(now.join('')).toBe(text)
        expect(now.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
        before = now
      }
      expect(new MarkdownChunks().of(text)).toEqual(before)
    }),
  )
})

test('another text begins anew', () => {
  const chunks = new MarkdownChunks()
  chunks.of(Array(5).fill(paragraph).join('\n\n'))
  expect(chunks.of('short')).toEqual(['short'])
})
