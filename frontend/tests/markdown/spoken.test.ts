import { expect, test } from 'vitest'

import { spoken } from '../../src/markdown/spoken'

const CODE = `\`\`\`\n${'let *a* = 1\n\n'.repeat(300)}\`\`\``

test('a long text is read without its markup, wherever its parts begin', async () => {
  const text = `# Title\n\n${'- **some** words\n'.repeat(100)}\n${CODE}\n\nSee [this][1].\n\n[1]: /url`
  const words = await spoken(text)
  expect(words.startsWith('Title\nsome words\nsome words')).toBe(true)
  expect(words.match(/some words/g)).toHaveLength(100)
  expect(words.match(/let \*a\* = 1/g)).toHaveLength(300)
  expect(words.endsWith('See this.')).toBe(true)
})

test('a definition is read if nothing refers to it', async () => {
  const text = 'See [this][1][^1].\n\n[1]: /a\n\n[2]: /b\n\n[^1]: Note\n\n[^2]: *Other* note'
  expect(await spoken(text)).toBe('See this.\n[2]: /b\n[^2]: Other note\nNote')
})

test('the page stays responsive while a long text is prepared', async () => {
  let turns = 0
  let isDone = false
  const reading = spoken('- [x] done\n'.repeat(5_000)).then((words) => {
    isDone = true
    return words
  })
  while (!isDone) {
    await new Promise((resolve) => setTimeout(resolve))
    turns += 1
  }
  expect(turns).toBeGreaterThan(10)
  expect((await reading).endsWith(' …')).toBe(true)
})
