/** Checks that users see and copy the words of texts as models write them. */

import { expect, test } from 'vitest'

import { variantsOf } from '../markdown/variants'
import { inLines, shownOf, type Shown } from '../markdown/shown'
import { TEXTS } from '../markdown/texts'
import { Person } from './browser'
import { openedSite } from './openedSite'
import { openThread } from './openThread'

const site = openedSite()

const LONG = 'A sentence of a long answer that goes on.\n\n'.repeat(100)

/** Show answers with texts, and return the visible and the copied text of each. */
async function read(
  person: Person,
  texts: readonly string[],
  formulas: number,
): Promise<{ seen: string; copied: string }[]> {
  await openThread(person, texts)
  const frame = person.page.frames()[1]
  if (frame === undefined) throw new Error('There is no chat.')
  await frame.waitForFunction(
    ({ count, formulas }) => {
      const all = document.querySelectorAll('article .markdown .rich-text')
      const set = [...document.querySelectorAll('article .formula')].filter(
        (each) => each.textContent !== '',
      )
      const isPlain = document.querySelector('.piece + .plain') !== null
      return all.length === count && set.length === formulas && !isPlain
    },
    { count: texts.length, formulas },
  )
  return frame.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('article .markdown')].map((markdown) => {
      for (const details of markdown.querySelectorAll('details')) details.open = true
      const selection = document.getSelection() as Selection
      selection.selectAllChildren(markdown)
      const clipboardData = new DataTransfer()
      const init = { clipboardData, bubbles: true, cancelable: true }
      const isDefault = markdown
        .querySelector('.rich-text')!
        .dispatchEvent(new ClipboardEvent('copy', init))
      const copied = isDefault ? selection.toString() : clipboardData.getData('text/plain')
      for (const formula of markdown.querySelectorAll<HTMLElement>('.formula')) {
        const tex = formula.querySelector('annotation')?.textContent
        if (tex !== undefined && tex !== null) formula.replaceChildren(tex)
        formula.style.whiteSpace = 'pre'
      }
      for (const added of markdown.querySelectorAll('.code-head, .to-note')) added.remove()
      return { seen: markdown.innerText, copied }
    }),
  )
}

test('the shown and the copied text have the same words', async () => {
  const kinds = Object.values(TEXTS)
  const texts = [
    ...kinds.flat().flatMap(([text]) => [text, ...variantsOf(text)]),
    ...kinds.map((rows) => LONG + rows.map(([text]) => text).join('\n\nAnd then:\n\n')),
  ]
  const expected = texts.map(shownOf)
  const formulas = expected.reduce((sum, each) => sum + each.formulas, 0)
  const ann = await Person.at(site)
  const shown = await read(ann, texts, formulas)
  const different = texts.flatMap((text, index) => {
    const words = expected[index] as Shown
    const found = {
      seen: inLines(shown[index]?.seen ?? ''),
      copied: inLines(shown[index]?.copied ?? ''),
    }
    const isSame = found.seen === words.seen && found.copied === words.copied
    return isSame ? [] : [{ text, words, found }]
  })
  expect(different).toEqual([])
  expect(ann.problems).toEqual([])
  await ann.leave()
})
