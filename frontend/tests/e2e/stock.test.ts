/** A server that clients cannot follow, like any other ChatKit server: the text is kept quietly. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { python } from '../python'
import { Person } from './browser'
import { openedSite } from './openedSite'

const database = `sqlite:///${join(mkdtempSync(join(tmpdir(), 'stock-')), 'chat.db')}`
const site = openedSite((port) =>
  python(['frontend/tests/e2e/live_server.py', String(port), database, 'plain']),
)

const viewport = { width: 1300, height: 800 }

async function working(said: string): Promise<Person> {
  const ann = await Person.at(site, { viewport })
  // The test controls the page's timers.
  await ann.page.clock.install()
  await ann.page.reload()
  await ann.ask('Hello', 'You said Hello.')
  await ann.button('New chat').click()
  await ann.say(said)
  await ann.text(`${said} 0-5.`).waitFor()
  return ann
}

/** Wait longer than any timer of the page, and check that the text is there without an alert. */
async function isCalm(ann: Person, said: string): Promise<void> {
  for (let times = 0; times < 8; times++) await ann.page.clock.runFor(3_000)
  await ann.text(`${said} 0-0.`).waitFor()
  await expect.poll(() => ann.chat.getByText('Something went wrong').count()).toBe(0)
  await expect.poll(() => ann.chat.locator('.items .bubble').allTextContents()).toEqual([said])
  await ann.ask('Go on', 'You said Go on.')
  await ann.text(`${said} 0-0.`).waitFor()
  await ann.leave()
}

test('an answer is there when its chat is opened again', async () => {
  const ann = await working('work switched')
  const list = ann.chat.getByRole('navigation', { name: 'Chats' })
  await list.getByRole('button', { name: 'Hello', exact: true }).click()
  await ann.text('You said Hello.').waitFor()
  await list.getByRole('button', { name: 'work switched', exact: true }).click()
  await isCalm(ann, 'work switched')
})

test('another tab shows the stored items, and the first tab the whole answer', async () => {
  const ann = await working('work twice')
  const other = new Person(await ann.page.context().newPage(), site.url)
  await other.page.goto(ann.page.url())
  await other.composer.waitFor()
  await ann.button('Approve').click()
  await ann.text('work twice 2-23.').waitFor()
  await ann.button('Send').waitFor()
  await expect.poll(() => other.chat.getByText('Something went wrong').count()).toBe(0)
  await other.page.reload()
  await other.text('work twice 2-23.').waitFor()
  await isCalm(ann, 'work twice')
})

test('the text survives a network outage', async () => {
  const ann = await working('work offline')
  await ann.page.context().setOffline(true)
  await ann.page.clock.runFor(10_000)
  await ann.page.context().setOffline(false)
  await isCalm(ann, 'work offline')
})
