import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, test } from 'vitest'

import type { Node } from '../../src/markdown/grammar/node'
import { drawnAtOnce, drawnInPieces, inShort } from './drawn'
import { EXAMPLES } from './specification'

/** Examples with bare addresses, which are links as on GitHub, with HTML blocks, and with a link without text. */
const OTHERWISE = [21, 31, 308, 309, 484, 602, 606, 608, 611, 612]

/** Examples with definitions that nothing refers to, which are shown. */
const UNUSED = [204, 207, 208, 210, 317, 536, 537, 538, 544, 545, 563, 565, 567, 571, 592]

const DIFFERENT = new Set([...OTHERWISE, ...UNUSED])

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
    if (!DIFFERENT.has(number)) expect(drawn).toBe(reference(markdown))
    expect(drawnInPieces(markdown, 1)).toBe(drawn)
  })
})
