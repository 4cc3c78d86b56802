/** A plain field accepts text until the editor has loaded and takes over. */

import type { Route } from 'playwright-core'
import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

interface Waiting {
  ann: Person
  /** Let the editor load. */
  load: () => Promise<void>
}

/** Open a chat whose editor does not load yet. */
async function waiting(options: Parameters<typeof Person.at>[1] = {}): Promise<Waiting> {
  const ann = await Person.at(site, options)
  let held: Route | null = null
  let isFree = false
  await ann.page.route('**/RichEditor-*.js', (route) => {
    if (isFree) return route.continue()
    held = route
    return undefined
  })
  await ann.page.reload()
  await ann.composer.waitFor()
  await expect.poll(() => held !== null).toBe(true)
  return {
    ann,
    load: async () => {
      isFree = true
      await held?.continue()
      await ann.chat.locator('.ProseMirror').first().waitFor()
    },
  }
}

const lines = (ann: Person): Promise<string[]> =>
  ann.composer.locator('p').evaluateAll((all) => all.map((each) => each.textContent ?? ''))
const isFocused = (ann: Person): Promise<boolean> =>
  ann.composer.evaluate((each) => each === document.activeElement)

test('early typing is kept, with the caret and the focus, and can be undone', async () => {
  const { ann, load } = await waiting()
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('One three')
  await keyboard.press('Shift+Enter')
  await keyboard.type('Four')
  await keyboard.press('Shift+Enter')
  await keyboard.press('ArrowUp')
  await keyboard.press('ArrowUp')
  await keyboard.press('Home')
  for (let times = 0; times < 4; times++) await keyboard.press('ArrowRight')
  await load()
  await expect.poll(() => isFocused(ann)).toBe(true)
  await keyboard.type('two ')
  await expect.poll(() => lines(ann)).toEqual(['One two three', 'Four', ''])
  for (let times = 0; times < 2; times++) await keyboard.press('Control+z')
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await keyboard.press('Control+Shift+z')
  await keyboard.press('Control+Shift+z')
  await expect.poll(() => lines(ann)).toEqual(['One two three', 'Four', ''])
  await keyboard.press('Enter')
  await ann.text('You said One two three').waitFor()
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('a selection is kept, and typing replaces it', async () => {
  const { ann, load } = await waiting()
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('Keep this or that')
  await keyboard.press('Home')
  for (let times = 0; times < 5; times++) await keyboard.press('ArrowRight')
  for (let times = 0; times < 4; times++) await keyboard.press('Shift+ArrowRight')
  await load()
  await keyboard.type('all')
  await expect.poll(() => ann.composer.textContent()).toBe('Keep all or that')
  await ann.leave()
})

test('an input method finishes its word before the editor takes over', async () => {
  const { ann, load } = await waiting()
  await ann.composer.click()
  await ann.page.keyboard.type('言う：')
  const session = await ann.page.context().newCDPSession(ann.page)
  const compose = (text: string): Promise<unknown> =>
    session.send('Input.imeSetComposition', {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    })
  await compose('に')
  await compose('にほ')
  const loaded = load()
  // Give the editor time to take over, which it must not do yet.
  await ann.page.waitForResponse('**/RichEditor-*.js')
  await ann.page.waitForTimeout(500)
  await compose('にほん')
  await expect.poll(() => ann.chat.locator('.ProseMirror').count()).toBe(0)
  await expect.poll(() => ann.composer.textContent()).toBe('言う：にほん')
  await session.send('Input.insertText', { text: '日本' })
  await loaded
  await expect.poll(() => isFocused(ann)).toBe(true)
  await compose('ご')
  await session.send('Input.insertText', { text: '語' })
  await expect.poll(() => lines(ann)).toEqual(['言う：日本語'])
  await ann.page.keyboard.press('Enter')
  await ann.text('You said 言う：日本語').waitFor()
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('messages can be written, pasted and sent without the editor', async () => {
  const { ann } = await waiting()
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('One')
  await keyboard.press('Shift+Enter')
  await keyboard.type('Two')
  await ann.composer.evaluate((field) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/html', '<p> and <b>three</b></p>')
    field.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    )
  })
  const request = ann.page.waitForRequest((each) => /threads\.create/.test(each.postData() ?? ''))
  await keyboard.press('Enter')
  const { params } = JSON.parse((await request).postData() ?? '{}')
  expect(params.input.content).toEqual([{ type: 'input_text', text: 'One\nTwoand three' }])
  await ann.button('Send').waitFor()
  await expect.poll(() => ann.composer.textContent()).toBe('')
  expect(ann.problems).toEqual([])
  await ann.leave()
})

/** Type text and press Enter before the page can render or do anything. */
function typeAndEnter(field: ReturnType<Person['button']>, text: string): Promise<void> {
  return field.evaluate(async (element, text) => {
    document.execCommand('insertText', false, text)
    // The editor receives it in a microtask, before anything is rendered.
    if (element.matches('.ProseMirror')) await null
    element.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }),
    )
  }, text)
}

test.each(['plain field', 'editor'])(
  'the %s sends text that is typed in the same moment as Enter',
  async (kind) => {
    const { ann, load } = await waiting()
    if (kind === 'editor') await load()
    await ann.composer.click()
    await typeAndEnter(ann.composer, 'All of it')
    await ann.text('You said All of it').waitFor()
    await ann.button('Send').waitFor()
    await ann.button('Edit').focus()
    await ann.page.keyboard.press('Enter')
    const edited = ann.chat.getByRole('textbox', { name: 'Edited message' })
    await edited.press('Control+End')
    await typeAndEnter(edited, ', and more')
    await ann.text('You said All of it, and more').waitFor()
    expect(ann.problems).toEqual([])
    await ann.leave()
  },
)

test('an incomplete name typed just before Enter is searched, not sent', async () => {
  const { ann, load } = await waiting()
  await load()
  await ann.page.evaluate(() => {
    const chat = document.querySelector('openai-chatkit') as unknown as {
      setOptions: (options: object) => void
    }
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      entities: { onTagSearch: async () => [{ id: 'kari', title: 'Kari' }] },
    })
  })
  await expect.poll(() => ann.composer.getAttribute('aria-haspopup')).toBe('listbox')
  await ann.composer.click()
  await typeAndEnter(ann.composer, '@ka')
  await ann.chat.getByRole('option', { name: 'Kari' }).waitFor()
  await expect.poll(() => ann.composer.textContent()).toBe('@ka')
  await ann.leave()
})

test('an editor that cannot be loaded is requested again', async () => {
  const ann = await Person.at(site)
  let isBroken = true
  await ann.page.route('**/RichEditor-*.js', (route) =>
    isBroken ? route.abort() : route.continue(),
  )
  await ann.page.reload()
  await ann.composer.click()
  await ann.page.keyboard.type('Still here')
  await ann.chat.getByRole('alert').waitFor()
  isBroken = false
  await ann.chat.locator('.ProseMirror').waitFor()
  await expect.poll(() => ann.chat.getByRole('alert').count()).toBe(0)
  await expect.poll(() => lines(ann)).toEqual(['Still here'])
  await ann.leave()
})

test("a draft's tags are shown before the editor loads, and menus afterwards", async () => {
  const { ann, load } = await waiting()
  await ann.page.evaluate(() => {
    const chat = document.querySelector('openai-chatkit') as unknown as {
      setOptions: (options: object) => void
      setComposerValue: (value: object) => Promise<void>
    }
    const kari = { id: 'kari', title: 'Kari' }
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      entities: { showComposerMenu: true, onTagSearch: async () => [kari] },
    })
    const tag = { type: 'input_tag', id: 'ola', text: 'Ola', data: {} }
    return chat.setComposerValue({
      content: [{ type: 'input_text', text: 'Ask ' }, tag, { type: 'input_text', text: ' or' }],
    })
  })
  await expect.poll(() => ann.composer.textContent()).toBe('Ask @Ola or')
  await ann.button('Mention').click()
  await load()
  await ann.chat.getByRole('option', { name: 'Kari' }).waitFor()
  await ann.page.keyboard.press('Enter')
  await expect.poll(() => ann.composer.textContent()).toBe('Ask @Ola or @Kari ')
  await ann.leave()
})
