import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, test } from 'vitest'

import type { Node } from '../../src/markdown/grammar/node'
import { drawnAtOnce, drawnInPieces, inShort } from './drawn'
import { EXAMPLES } from './specification'

/** Examples with bare addresses, which are links as on GitHub, and with HTML blocks. */
const OTHERWISE = new Set([21, 31, 308, 309, 602, 606, 608, 611, 612])

/** Return the result of a parser that follows the specification, with tags as text. */
function reference(markdown: string): string {
  const { children } = fromMarkdown(markdown)
  const nodes = (children as unknown as Node[]).filter(({ type }) => type !== 'definition')
  return inShort(nodes).replaceAll(/‹html:([^›]*)›/g, '$1')
}

describe.each([...new Set(EXAMPLES.map(({ section }) => section))])('%s', (title) => {
  const examples = EXAMPLES.filter(({ section }) => section === title)
  test.each(examples)('$number', ({ markdown, number }) => {
    const drawn = drawnAtOnce(markdown)
    if (!OTHERWISE.has(number)) expect(drawn).toBe(reference(markdown))
    expect(drawnInPieces(markdown, 1)).toBe(drawn)
  })
})
