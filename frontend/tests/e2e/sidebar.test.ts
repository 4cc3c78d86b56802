/** The list of chats beside the thread, on a large screen. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

const viewport = { width: 1440, height: 900 }

const sidebar = (person: Person) => person.chat.getByRole('navigation', { name: 'Chats' })

test('on a large screen, the chats are beside the thread until they are closed', async () => {
  const ann = await Person.at(site, { viewport })
  await ann.ask('First', /You said First/)
  await sidebar(ann).getByRole('button', { name: 'First', exact: true }).waitFor()
  await sidebar(ann).getByRole('button', { name: 'New chat' }).click()
  await ann.page.keyboard.type('Second')
  await ann.page.keyboard.press('Enter')
  await ann.text(/You said Second/).waitFor()
  const titles = sidebar(ann).locator('.history-title')
  await expect.poll(() => titles.allTextContents()).toEqual(['Second', 'First'])
  await titles.nth(1).click()
  await ann.text(/You said First/).waitFor()
  await expect.poll(() => titles.nth(1).getAttribute('aria-current')).toBe('true')
  expect(await ann.violations()).toEqual([])

  await sidebar(ann).getByRole('button', { name: 'Chats', expanded: true }).press('Enter')
  await expect.poll(() => sidebar(ann).count()).toBe(0)
  await ann.page.reload()
  await ann.text(/You said First/).waitFor()
  await expect.poll(() => sidebar(ann).count()).toBe(0)
  expect(await ann.violations()).toEqual([])
  await ann.chat.getByRole('button', { name: 'Chats', expanded: false }).press('Enter')
  await sidebar(ann).waitFor()
  const focused = ann.chat.locator(':focus')
  await expect.poll(() => focused.getAttribute('aria-expanded')).toBe('true')

  // If there is no room, the list replaces the thread.
  await ann.page.setViewportSize({ width: 900, height: 900 })
  await expect.poll(() => sidebar(ann).count()).toBe(0)
  await ann.text(/You said First/).waitFor()
  await ann.button('Chats').click()
  await ann.chat.locator('main .history-title').first().waitFor()
  await ann.chat.getByRole('searchbox').fill('know 1')
  await expect
    .poll(() => ann.chat.locator('mark').allTextContents())
    .toEqual(['know', '1', 'know', '1'])
  expect(await ann.violations()).toEqual([])
  await ann.chat.getByRole('searchbox').fill('nowhere')
  await ann.chat.getByText('Nothing found.').waitFor()
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('an element within a page has a sidebar only on request', async () => {
  const ann = await Person.at(site, { viewport })
  await ann.setOptions({})
  await ann.button('Chats').click()
  await ann.button('Back to the chat').click()
  await expect.poll(() => sidebar(ann).count()).toBe(0)
  await ann.setOptions({ history: { layout: 'sidebar' }, frameTitle: 'Help desk' })
  await sidebar(ann).getByRole('heading', { name: 'Help desk' }).waitFor()
  await ann.setOptions({ history: { layout: 'sidebar' }, header: { enabled: false } })
  expect(await ann.violations()).toEqual([])
  await ann.leave()
})

test("an app's header keeps the page's buttons", async () => {
  const ann = await Person.at(site)
  await ann.page.route('**/page.json', (route) =>
    route.fulfill({ json: { header: { title: { text: 'Orders' } }, thread: {} } }),
  )
  await ann.page.reload()
  await ann.ask('First', /You said First/)
  await ann.chat.getByRole('heading', { name: 'Orders' }).waitFor()
  await ann.button('Export as Markdown').waitFor()
  await ann.leave()
})

test('with no chat open, the list shows what another device does', async () => {
  const phone = await Person.at(site)
  await phone.ask('First', /You said First/)
  const storageState = await phone.page.context().storageState()
  const context = await site.browser.newContext({ viewport, storageState })
  const desk = new Person(await context.newPage(), site.url)
  await desk.page.clock.install()
  await desk.page.goto(site.url)
  await sidebar(desk).getByRole('button', { name: 'First', exact: true }).waitFor()
  await phone.button('New chat').click()
  await phone.say('talk')
  await phone.text(/Word 1\./).waitFor()
  await desk.page.clock.runFor(31_000)
  const row = sidebar(desk).getByRole('listitem').filter({ hasText: 'talk' })
  await row.getByRole('img', { name: 'Working' }).waitFor()
  await phone.button('Stop').click()
  await desk.page.clock.runFor(4_000)
  await row.getByRole('img', { name: 'New answer' }).waitFor()
  expect(desk.problems).toEqual([])
  await context.close()
  await phone.leave()
})
