/** Dictation. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { equip } from './equippedComposer'

const site = openedSite(undefined, true)

const at = (options: Parameters<typeof Person.at>[1] = {}): Promise<Person> =>
  Person.at(site, { permissions: ['microphone'], ...options })

test('dictated text is inserted at the caret', async () => {
  const ann = await at()
  await equip(ann)
  await ann.composer.fill('This is')
  await ann.button('Dictate').click()
  await ann.button('Stop dictation').waitFor()
  await ann.page.keyboard.press('Escape')
  await ann.button('Dictate').click()
  await ann.button('Stop dictation').waitFor()
  await ann.page.waitForTimeout(300)
  await ann.page.keyboard.press('Enter')
  await expect.poll(() => ann.composer.textContent()).toBe('This is a audio/webm recording')
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test.each([
  ['Nothing was heard.', { status: 200, json: { text: ' ' } }],
  [
    'The recording could not be transcribed. This server does not offer that.',
    { status: 501, json: { error: 'This server does not offer that.' } },
  ],
])('a dictation that fails says: %s', async (words, answer) => {
  const ann = await at()
  await equip(ann)
  await ann.page.route('**/chatkit', (route) =>
    route.request().postData()?.includes('input.transcribe')
      ? route.fulfill(answer)
      : route.fallback(),
  )
  await ann.composer.fill('Still here')
  await ann.button('Dictate').click()
  await ann.button('Stop dictation').click()
  await ann.chat.getByRole('alert').getByText(words).waitFor()
  await expect.poll(() => ann.composer.textContent()).toBe('Still here')
  await ann.leave()
})

test('a denied microphone is explained', async () => {
  const ann = await at({ permissions: [] })
  await equip(ann)
  await ann.button('Dictate').click()
  await ann.chat.getByRole('alert').getByText('The microphone cannot be used.').waitFor()
  await ann.leave()
})
