/** Two tabs, lost connections and reloads: text is kept, and the user can continue. */

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { Person, type Site } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

/** A connection to the server that can be cut. */
async function lineTo({ url }: Site): Promise<{
  url: string
  cut: () => Promise<unknown>
  mend: () => Promise<void>
}> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(new URL(url).port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      return closed
    },
    mend: () => listen(port),
  }
}

/** Open the same thread for the same user in another tab. */
async function otherTab(person: Person): Promise<Person> {
  const other = new Person(await person.page.context().newPage(), site.url)
  await other.page.goto(person.page.url())
  await other.composer.waitFor()
  return other
}

test('a page that requests files removed by an upgrade says so, and keeps the draft', async () => {
  const ann = await Person.at(site)
  const gone = /\/ui\/(ShortcutSheet|Tools|RichText)-[^/]*\.js$/
  let isNew = false
  await ann.page.route(gone, (route) =>
    isNew ? route.fallback() : route.fulfill({ status: 404, json: {} }),
  )
  await ann.page.reload()
  // The files that the open page requests never come back; the next page requests others.
  ann.page.on('request', (request) => (isNew ||= request.isNavigationRequest()))
  await ann.setOptions({
    composer: { tools: [{ id: 'search', label: 'Search', icon: 'globe' }] },
  })
  await ann.chat.getByRole('alert').getByText('Part of this page could not be loaded.').waitFor()
  await ann.page.keyboard.press('Alt+Shift+H')
  await ann.ask('Hello', /You said \*Hello\*/)
  await ann.composer.fill('Not sent yet')
  await ann.button('Reload the page').click()
  await ann.text('You said Hello').waitFor()
  await expect.poll(() => ann.composer.textContent()).toBe('Not sent yet')
  await expect.poll(() => ann.chat.getByRole('alert').count()).toBe(0)
  await ann.leave()
})

test('texts and the export are loaded again, and the page does not wait for them', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /You said \*Hello\*/)
  let isDown = true
  const late = /\/ui\/(de-DE|exportThread)-[^/]*\.js$/
  await ann.page.route(late, (route) => (isDown ? route.abort() : route.fallback()))
  const saved = ann.page.waitForEvent('download')
  await ann.setOptions({ header: { export: true }, locale: 'de-DE' })
  await ann.button('Als Markdown exportieren').or(ann.button('Export as Markdown')).click()
  await ann.chat.getByRole('alert').getByText('Part of this page could not be loaded.').waitFor()
  isDown = false
  expect((await saved).suggestedFilename()).toBe('Hello.md')
  await ann.button('Senden').waitFor()
  await expect.poll(() => ann.chat.getByRole('alert').count()).toBe(0)
  await ann.leave()
})

test('a reload during an answer continues it', async () => {
  const ann = await Person.at(site)
  await ann.say('talk')
  await ann.text(/Word 20\./).waitFor()
  await ann.page.reload()
  await ann.text(/Word 100\./).waitFor()
  await expect
    .poll(() =>
      ann.chat
        .locator('.items')
        .getByText(/Word 5\./)
        .count(),
    )
    .toBe(1)
  await ann.button('Stop').click()
  await ann.text('This answer was stopped.').waitFor()
  await ann.ask('Hello', /You said Hello/)
  await ann.leave()
})

test("another tab shows the first tab's answer, and its messages wait", async () => {
  const ann = await Person.at(site)
  await ann.say('talk')
  await ann.text(/Word 5\./).waitFor()
  const tab = await otherTab(ann)
  await tab.text(/Word 20\./).waitFor()
  await tab.say('Me too')
  await tab.text('Waiting for the answer to finish').waitFor()
  await tab.button('Stop').click()
  await ann.text('This answer was stopped.').waitFor()
  await ann.button('Send').waitFor()
  // After a stop, the message is sent only when the user says so.
  await tab.button('Send now').click()
  await ann.text(/You said Me too/).waitFor()
  await tab.text(/You said Me too/).waitFor()
  await expect
    .poll(() => ann.chat.locator('.items .bubble').allTextContents())
    .toEqual(['talk', 'Me too'])
  await ann.leave()
})

test('an answer continues after the connection is lost and restored', async () => {
  const line = await lineTo(site)
  const ann = await Person.at({ ...site, url: line.url })
  await ann.ask('Hello', /You said Hello/)
  await ann.say('talk')
  await ann.text(/Word 10\./).waitFor()
  await line.cut()
  await ann.text('Reconnecting…').waitFor()
  await line.mend()
  await ann.text(/Word 300\./).waitFor()
  await expect.poll(() => ann.chat.getByRole('alert').count()).toBe(0)
  await expect
    .poll(() => ann.chat.locator('.items .bubble').allTextContents())
    .toEqual(['Hello', 'talk'])
  await ann.button('Stop').click()
  await ann.leave()
  await line.cut()
})

test('a chat list and a thread that could not be loaded load when back online', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /You said Hello/)
  await ann.page.route('**/chatkit', (route) => route.abort())
  await ann.page.reload()
  await ann.chat.getByRole('alert').getByText('The server cannot be reached.').waitFor()
  await ann.page.unroute('**/chatkit')
  await ann.page.context().setOffline(true)
  await ann.page.context().setOffline(false)
  await ann.text(/You said Hello/).waitFor()
  await expect.poll(() => ann.chat.getByRole('alert').count()).toBe(0)
  await ann.leave()
})

test.each([401, 403, 429, 500])(
  'a server that responds with %i is reported, and retried',
  async (status) => {
    const ann = await Person.at(site)
    await ann.page.route('**/chatkit', (route) => route.fulfill({ status, body: '<h1>No</h1>' }))
    await ann.button('Chats').click()
    await ann.chat.getByRole('alert').getByText('The chats could not be loaded.').waitFor()
    await ann.page.keyboard.press('Escape')
    await ann.say('Are you there?')
    await ann.chat.getByRole('alert').getByText(`(${status})`).waitFor()
    await ann.page.unroute('**/chatkit')
    await ann.composer.press('Enter')
    await ann.text(/You said Are you there/).waitFor()
    await ann.leave()
  },
)

test.each([true, false])(
  'a message that is stopped immediately is in one place only, stored: %s',
  async (isStored) => {
    const ann = await Person.at(site)
    await ann.ask('Hello', /You said Hello/)
    let isSent = false
    await ann.page.route('**/chatkit', async (route) => {
      if (!route.request().postData()?.includes('add_user_message')) return route.continue()
      if (isStored) await route.fetch()
      // The page does not receive the response.
      isSent = true
    })
    await ann.say('Are you there?')
    await expect.poll(() => isSent).toBe(true)
    await ann.button('Stop').click()
    await ann.button('Send').waitFor()
    const bubbles = (): Promise<string[]> => ann.chat.locator('.items .bubble').allTextContents()
    await expect.poll(bubbles).toEqual(isStored ? ['Hello', 'Are you there?'] : ['Hello'])
    await expect.poll(() => ann.composer.textContent()).toBe(isStored ? '' : 'Are you there?')
    await ann.page.unroute('**/chatkit')
    await ann.leave()
  },
)
