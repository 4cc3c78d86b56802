/** An app with its own store, upload routes and page, which only loads our script. */

import { expect, test } from 'vitest'

import { python } from '../python'
import { Person } from './browser'
import { openedSite } from './openedSite'

declare global {
  interface Window {
    noticed: unknown[]
  }
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const site = openedSite((port) => python(['frontend/tests/e2e/own_app.py', String(port)]))

/** Open the app's page for a user; the test serves the images of another host. */
async function arrive(): Promise<Person> {
  const [context, leave] = await site.contexts.take({ viewport: { width: 900, height: 720 } })
  const person = new Person(await context.newPage(), site.url, leave)
  await context.route('https://images.example/**', async (route) => {
    const name = new URL(route.request().url()).pathname
    if (name === '/Slow.svg') return
    const huge = '<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="20000"/>'
    if (name === '/Huge.svg') await route.fulfill({ contentType: 'image/svg+xml', body: huge })
    else if (name === '/shoe.png') await route.fulfill({ contentType: 'image/png', body: PNG })
    else if (name === '/page.png') await route.fulfill({ contentType: 'text/html', body: '<p>No' })
    else await route.fulfill({ contentType: 'image/png', body: 'broken' })
  })
  await person.page.goto(`${site.url}/app`)
  await person.composer.waitFor()
  return person
}

async function attach(person: Person, name: string, mimeType: string): Promise<void> {
  await person.chat.locator('input[type=file]').setInputFiles([{ name, mimeType, buffer: PNG }])
}

test.each([
  ['put.png', 'PUT'],
  ['post.png', 'POST'],
  ['moved-put.png', 'PUT'],
  ['moved-post.png', 'POST'],
  ['forbidden-put.png', 'PUT'],
  ['forbidden-post.png', 'POST'],
])('%s goes to a route of the app by %s, and reaches the agent', async (name, method) => {
  const ann = await arrive()
  const sent = ann.page.waitForRequest((each) => each.url().includes('/upload/'))
  await attach(ann, name, 'image/png')
  expect((await sent).method()).toBe(method)
  await ann.button(`Remove ${name}`).waitFor()
  await ann.ask('Look', 'You said Look with image/png')
  const image = ann.chat.locator('.items img')
  await expect.poll(() => image.getAttribute('src')).toMatch(/\/files\//)
  await ann.leave()
})

test.each(['broken-put.txt', 'broken-post.txt'])(
  '%s, which needs headers that browsers cannot send, fails with a message',
  async (name) => {
    const ann = await arrive()
    await attach(ann, name, 'text/plain')
    await ann.chat.getByText('The upload failed.').first().waitFor()
    await ann.leave()
  },
)

test('an upload with a late response can be removed', async () => {
  const ann = await arrive()
  let answer: () => void = () => {}
  const late = new Promise<void>((resolve) => (answer = resolve))
  await ann.page.route('**/upload/**', async (route) => {
    await late
    await route.continue().catch(() => {})
  })
  const deleted = ann.page.waitForRequest(
    (each) => each.postData()?.includes('attachments.delete') ?? false,
  )
  const uploading = ann.page.waitForRequest('**/upload/**')
  await attach(ann, 'late.txt', 'text/plain')
  await uploading
  await ann.button('Remove late.txt').click()
  answer()
  await deleted
  await expect.poll(() => ann.button('Remove late.txt').count()).toBe(0)
  await ann.leave()
})

test('widgets show images of other hosts, and effects reach the page', async () => {
  const ann = await arrive()
  await ann.ask('shoes', /You said shoes/)
  const { chat } = ann
  const width = (name: string): Promise<number> =>
    chat
      .getByRole('img', { name, exact: true })
      .evaluate((image: HTMLImageElement) => image.naturalWidth)
  await expect.poll(() => width('Image 0')).toBe(1)
  await expect.poll(() => width('Image 3')).toBe(80)
  for (const name of ['Image 1', 'Image 2']) {
    await chat.getByRole('img', { name: `${name} The image could not be loaded.` }).waitFor()
  }
  // A huge image stays within the page, and one that never arrives blocks nothing.
  await chat.getByRole('img', { name: 'Huge', exact: true }).scrollIntoViewIfNeeded()
  await expect.poll(() => width('Huge')).toBe(20_000)
  const frame = ann.page.frames()[1]
  expect(await frame?.evaluate(() => document.body.scrollWidth > window.innerWidth)).toBe(false)
  await ann.ask('And now?', 'You said And now?')
  await expect
    .poll(() => ann.page.evaluate(() => window.noticed))
    .toEqual([['effect', { name: 'highlight', data: { aisle: 7 } }]])
  await ann.leave()
})

test('entities and files are clicked and previewed', async () => {
  const ann = await arrive()
  await ann.ask('sources', /You said sources/)
  const { chat } = ann
  const sources = chat.getByRole('list', { name: 'Sources' })
  await sources.getByRole('button', { name: /Ada Lovelace/ }).click()
  await sources.getByRole('button', { name: /The plan/ }).click()
  const data = { type: 'file', filename: 'plan.pdf' }
  await expect
    .poll(() => ann.page.evaluate(() => window.noticed))
    .toEqual([
      ['click', { id: 'ada', title: 'Ada Lovelace', interactive: true, data: { born: '1815' } }],
      ['click', { id: 'plan.pdf', title: 'The plan', icon: 'document', interactive: true, data }],
    ])
  await ann.composer.hover()
  await sources.getByRole('button', { name: /The plan/ }).hover()
  await chat.getByText('About The plan').waitFor()
  await ann.leave()
})
