/** Files that people attach. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { attach, equip, sent, text } from './equippedComposer'

const site = openedSite()

const at = (options: Parameters<typeof Person.at>[1] = {}): Promise<Person> =>
  Person.at(site, { permissions: ['microphone'], ...options })

test('files are uploaded, rejected, retried, removed and sent', async () => {
  const ann = await at()
  await equip(ann)
  let isFull = true
  await ann.page.route('**/attachments', (route) => {
    const isFailing = isFull && route.request().postDataBuffer()?.includes('b.txt')
    return isFailing
      ? route.fulfill({ status: 503, json: { error: 'It is full.' } })
      : route.fallback()
  })
  const picture = { name: 'p.png', mimeType: 'image/png', buffer: Buffer.alloc(3000) }
  await attach(ann, text('a.txt'), text('b.txt'), picture)
  await ann.chat.getByRole('alert').getByText('p.png: It is larger than 2 kB.').waitFor()
  await ann.chat.getByText('It is full.', { exact: true }).waitFor()
  await ann.say('Read this')
  await ann.chat.getByText('Try the failed files again or remove them').waitFor()
  isFull = false
  await ann.button('Upload b.txt again').click()
  await ann.chat.getByText('b.txt is attached.').waitFor()
  const deleted = ann.page.waitForRequest((request) =>
    /attachments\.delete/.test(request.postData() ?? ''),
  )
  await ann.button('Remove a.txt').click()
  await deleted
  const input = await sent(ann, () => ann.composer.press('Enter'))
  expect(input['attachments']).toHaveLength(1)
  await ann.text(/You said Read this/).waitFor()
  await expect.poll(() => ann.chat.locator('.items .file').textContent()).toBe('b.txt')
  await ann.leave()
})

test('the reason for a failed upload has room on a narrow screen', async () => {
  const ann = await at({ viewport: { width: 320, height: 640 } })
  await equip(ann)
  await ann.page.route('**/attachments', (route) =>
    route.request().postDataBuffer()?.includes('c.txt')
      ? route.fulfill({ status: 413, json: { error: 'There is no room for this file.' } })
      : route.fallback(),
  )
  await attach(ann, text('a.txt'), text('b.txt'), text('c.txt'))
  const reason = ann.chat.getByText('There is no room for this file.', { exact: true })
  const lines = await reason.evaluate((element) => {
    const range = new Range()
    range.selectNodeContents(element)
    return range.getClientRects().length
  })
  expect(lines).toBe(1)
  const isInView = (element: Element): boolean => {
    const { x, y, width, height } = element.getBoundingClientRect()
    return document.elementFromPoint(x + width / 2, y + height / 2) === element
  }
  await expect.poll(() => reason.evaluate(isInView)).toBe(true)
  await ann.leave()
})

test('files with long names are told apart by the ends of their names', async () => {
  const ann = await at()
  await equip(ann)
  const names = ['2026', '2027'].map((year) => `Report on the northern region ${year}.txt`)
  await attach(ann, ...names.map((name) => text(name)))
  await expect.poll(() => ends(ann)).toEqual(['2026.txt', '2027.txt'])
  await ann.composer.fill('Read these')
  await ann.composer.press('Enter')
  await ann.text(/You said/).waitFor()
  expect(await ends(ann)).toEqual(['2026.txt', '2027.txt'])
  expect(await ann.chat.locator('.items .file').allTextContents()).toEqual(names)
  await ann.leave()
})

/** Return the last eight letters of the files' names, as far as they are in view. */
const ends = (person: Person): Promise<string[]> =>
  person.chat.locator('.file-name').evaluateAll((names) =>
    names.map((name) => {
      const texts = document.createTreeWalker(name, NodeFilter.SHOW_TEXT)
      let last: Node = texts.root
      while (texts.nextNode()) last = texts.currentNode
      const letters = last.textContent ?? ''
      const isInView = (at: number): boolean => {
        const range = new Range()
        range.setStart(last, at)
        range.setEnd(last, at + 1)
        const { x, y, width, height } = range.getBoundingClientRect()
        return name.contains(document.elementFromPoint(x + width / 2, y + height / 2))
      }
      const from = Math.max(0, letters.length - 8)
      return [...letters.slice(from)].filter((_, index) => isInView(from + index)).join('')
    }),
  )

test('two-phase uploads show progress', async () => {
  const ann = await at()
  await ann.setOptions({
    api: { url: '/chatkit', domainKey: 'local', uploadStrategy: { type: 'two_phase' } },
    composer: { attachments: { enabled: true } },
  })
  await ann.button('Attach files').waitFor()
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  await ann.page.route('**/upload?*', async (route) => {
    await gate
    await route.fallback()
  })
  await attach(ann, text('log.txt'))
  await ann.chat.getByRole('progressbar', { name: 'Uploading log.txt' }).waitFor()
  await ann.composer.fill('Read it')
  await ann.composer.press('Enter')
  await ann.chat.getByText('The message is sent when the files are uploaded.').waitFor()
  go()
  await ann.text(/You said Read it/).waitFor()
  await expect.poll(() => ann.chat.locator('.items .file').textContent()).toBe('log.txt')
  await ann.leave()
})

test('an upload belongs to the chat in which it started', async () => {
  const ann = await at()
  await equip(ann)
  await ann.ask('First', /You said First/)
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  await ann.page.route('**/attachments', async (route) => {
    await gate
    await route.fallback()
  })
  await attach(ann, text('log.txt'))
  await ann.composer.fill('For the first')
  await ann.button('New chat').click()
  await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
  await expect.poll(() => ann.chat.getByText('log.txt').count()).toBe(0)
  await ann.composer.fill('For a new one')
  go()
  await ann.button('Chats').click()
  await ann.button('First').click()
  await ann.chat.getByText('log.txt is attached.').waitFor({ state: 'attached' })
  await expect.poll(() => ann.composer.textContent()).toBe('For the first')
  await ann.composer.press('Enter')
  await ann.text(/You said For the first/).waitFor()
  await ann.button('Send').waitFor()
  await ann.button('New chat').click()
  await expect.poll(() => ann.composer.textContent()).toBe('For a new one')
  await ann.page.reload()
  await expect.poll(() => ann.composer.textContent()).toBe('For a new one')
  await ann.leave()
})

test('files can be dropped anywhere, and pasted', async () => {
  const ann = await at()
  await equip(ann)
  const drag = (type: string): Promise<void> =>
    ann.chat.locator('main').evaluate((element, type) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['All is well.'], 'dropped.txt', { type: 'text/plain' }))
      element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
    }, type)
  await drag('dragover')
  await ann.chat.getByText('Drop files here').waitFor()
  await drag('drop')
  await ann.chat.getByText('dropped.txt is attached.').waitFor()
  await expect.poll(() => ann.chat.getByText('Drop files here').count()).toBe(0)
  await ann.composer.evaluate((element) => {
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File(['All is well.'], 'pasted.txt', { type: 'text/plain' }))
    element.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    )
  })
  await ann.chat.getByText('pasted.txt is attached.').waitFor()
  await ann.leave()
})
