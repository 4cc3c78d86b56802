/** The browser's Back and Forward on the full page, whose address names the open chat. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

const inSidebar = { viewport: { width: 1300, height: 800 } }
const greeting = 'What can I help with today?'

const threadIn = (ann: Person): string | null => new URL(ann.page.url()).searchParams.get('thread')
const start = (ann: Person): Promise<void> =>
  ann.chat.getByRole('heading', { name: greeting }).waitFor()
const length = (ann: Person): Promise<number> => ann.page.evaluate(() => history.length)

/** Open the page, and have chats with these messages; the last one is open. */
async function having(messages: string[], options: object = inSidebar): Promise<Person> {
  const ann = await Person.at(site, options)
  for (const message of messages) {
    if (threadIn(ann) !== null) {
      await ann.button('New chat').click()
      await start(ann)
    }
    await ann.ask(message, `You said ${message}`)
  }
  return ann
}

async function leave(ann: Person): Promise<void> {
  expect(ann.problems).toEqual([])
  await ann.leave()
}

test('Back and Forward move between chats, which are one entry each', async () => {
  const before = await having([])
  const count = await length(before)
  await before.ask('One', 'You said One')
  // The address of a new chat is completed in place.
  expect(await length(before)).toBe(count)
  const first = threadIn(before)
  await before.button('New chat').click()
  await start(before)
  expect([threadIn(before), await length(before)]).toEqual([null, count + 1])
  await before.ask('Two', 'You said Two')
  const second = threadIn(before)
  await before.button('One').click()
  await before.text('You said One').waitFor()
  expect([threadIn(before), await length(before)]).toEqual([first, count + 2])
  await before.page.goBack()
  await before.text('You said Two').waitFor()
  expect(threadIn(before)).toBe(second)
  await before.page.goBack()
  await before.text('You said One').waitFor()
  await before.page.goForward()
  await before.text('You said Two').waitFor()
  expect([threadIn(before), await length(before)]).toEqual([second, count + 2])
  await before.page.reload()
  await before.text('You said Two').waitFor()
  await before.page.goBack()
  await before.text('You said One').waitFor()
  const copy = await before.page.context().newPage()
  await copy.goto(before.page.url())
  await copy.frameLocator('iframe').getByText('You said One').waitFor()
  await copy.close()
  await leave(before)
})

test('going back twice at once ends in the right chat, also while the page loads', async () => {
  const ann = await having(['One', 'Two', 'Three'])
  const third = threadIn(ann)
  await ann.page.evaluate(() => {
    history.back()
    addEventListener('popstate', () => history.back(), { once: true })
  })
  await ann.text('You said One').waitFor()
  await ann.page.goForward()
  await ann.text('You said Two').waitFor()
  await ann.page.goForward()
  await ann.text('You said Three').waitFor()
  expect(threadIn(ann)).toBe(third)
  // The app starts late, after the page has gone back.
  let begin = (): void => {}
  const late = new Promise<void>((resolve) => (begin = resolve))
  await ann.page.route('**/ui/app-*.js', async (route) => {
    await late
    await route.continue()
  })
  const loaded = ann.page.waitForResponse('**/page.json')
  await ann.page.reload({ waitUntil: 'commit' })
  await loaded
  const count = await length(ann)
  for (let steps = 0; steps < 2; steps++) {
    await ann.page.evaluate(
      () =>
        new Promise((resolve) => {
          addEventListener('popstate', resolve, { once: true })
          history.back()
        }),
    )
  }
  begin()
  await ann.text('You said One').waitFor()
  expect(await length(ann)).toBe(count)
  await ann.page.goForward()
  await ann.text('You said Two').waitFor()
  await leave(ann)
})

test('an answer goes on and a draft stays when the user goes back', async () => {
  const ann = await having(['One'])
  await ann.button('New chat').click()
  await start(ann)
  await ann.say('talk')
  await ann.text(/Word 10\./).waitFor()
  await ann.composer.fill('Half a mess')
  await ann.page.goBack()
  await ann.text('You said One').waitFor()
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await ann.page.goForward()
  await expect.poll(() => ann.composer.textContent()).toBe('Half a mess')
  await ann.text(/Word 60\./).waitFor()
  await ann.button('Stop').click()
  await ann.text('This answer was stopped.').waitFor()
  await leave(ann)
})

test.each(['thr_gone', '%22%3E%3Cscript%3E'])(
  'without a chat %s there is a new one',
  async (id) => {
    const ann = await having([])
    await ann.page.goto(`${site.url}/?thread=${id}`)
    await ann.chat.getByRole('alert').getByText('This chat was not found.').waitFor()
    await expect.poll(() => threadIn(ann)).toBeNull()
    expect(await ann.violations()).toEqual([])
    await ann.ask('Hello', 'You said Hello')
    expect(await ann.chat.getByRole('alert').count()).toBe(0)
    await ann.leave()
  },
)

test("another user's chat is not found, and neither is a deleted one", async () => {
  const ann = await having(['Mine', 'Two'])
  const mine = threadIn(ann)
  const bob = await Person.at(site, inSidebar, `/?thread=${mine}`)
  await bob.chat.getByRole('alert').getByText('This chat was not found.').waitFor()
  await expect.poll(() => threadIn(bob)).toBeNull()
  await bob.button('New chat').click()
  await start(bob)
  await bob.leave()

  await ann.button('Two').hover()
  await ann.button('Delete Two').click()
  await ann.button('Delete').click()
  await start(ann)
  expect(threadIn(ann)).toBeNull()
  const count = await length(ann)
  await ann.page.goBack()
  await ann.chat.getByRole('alert').getByText('This chat was not found.').waitFor()
  await expect.poll(() => threadIn(ann)).toBeNull()
  await ann.page.goBack()
  await ann.text('You said Mine').waitFor()
  expect(await length(ann)).toBe(count)
  await ann.leave()
})

test('on a phone, Back closes the list of chats and opens the chat before', async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
  const ann = await having(['One', 'Two'], phone)
  await ann.button('Chats').click()
  await ann.button('One').click()
  await ann.text('You said One').waitFor()
  await ann.button('Chats').click()
  await ann.page.goBack()
  await ann.text('You said Two').waitFor()
  await ann.button('Chats').waitFor()
  await leave(ann)
})

test("an app's first chat is in the address, and the address goes first", async () => {
  const ann = await having(['One', 'Two'])
  const second = threadIn(ann)
  await ann.page.goBack()
  await ann.text('You said One').waitFor()
  const first = threadIn(ann)
  const initialThread = second
  await ann.page.route('**/page.json', (route) => route.fulfill({ json: { initialThread } }))
  await ann.page.reload()
  await ann.text('You said One').waitFor()
  expect(threadIn(ann)).toBe(first)
  await ann.page.goto(`${site.url}/?lang=en`)
  await ann.text('You said Two').waitFor()
  expect(new URL(ann.page.url()).search).toBe(`?lang=en&thread=${second}`)
  await ann.page.goBack()
  await ann.text('You said One').waitFor()
  await leave(ann)
})

test('in a frame, the page leaves the history as it is', async () => {
  const ann = await having(['One', 'Two'])
  const address = ann.page.url()
  await ann.page.route('**/outer', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<iframe src="${address}" style="width:1300px;height:700px"></iframe>`,
    }),
  )
  await ann.page.goto(`${site.url}/outer`)
  const inner = ann.chat.frameLocator('iframe')
  await inner.getByText('You said Two').first().waitFor()
  const count = await length(ann)
  await inner.getByRole('button', { name: 'One', exact: true }).click()
  await inner.getByText('You said One').first().waitFor()
  expect(await length(ann)).toBe(count)
  await ann.leave()
})

test("that a chat was not found is said in the reader's language", async () => {
  const context = await site.browser.newContext({ ...inSidebar, locale: 'ar' })
  const ann = new Person(await context.newPage(), site.url)
  const missing = ann.page.waitForResponse(
    (response) => response.status() === 404 && response.url().endsWith('/chatkit'),
  )
  await ann.page.route('**/ui/ar-*.js', async (route) => {
    await (await missing).finished()
    await route.continue()
  })
  await ann.page.goto(`${site.url}/?thread=thr_gone`)
  await ann.chat.getByText('لم يتم العثور على هذه الدردشة.').waitFor()
  await context.close()
})

test.each(['the composer', 'an edited message'])(
  'going back from %s, the focus is in the composer',
  async (place) => {
    const ann = await having(['One', 'Two'])
    await ann.composer.click()
    if (place !== 'the composer') {
      await ann.composer.press('ArrowUp')
      await ann.chat.getByRole('textbox', { name: 'Edited message' }).press('x')
    }
    await ann.page.goBack()
    await ann.text('You said One').waitFor()
    await expect
      .poll(() => ann.composer.evaluate((each) => each === document.activeElement))
      .toBe(true)
    await ann.page.keyboard.type('Typed at once')
    await expect.poll(() => ann.composer.textContent()).toBe('Typed at once')
    await leave(ann)
  },
)
