/** Hostile pages, and pages that share a host, in a real browser. */

import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { python } from '../python'
import { answers, freePort, launch, Person, type Site } from './browser'
import { PATIENCE } from './patience'

let site: Site
let port: number
const others: (() => void)[] = []

/** Start `af-chatkit serve` with its own database. */
function serve(at: number, ...options: string[]): ChildProcess {
  return serveAgent('counting_agent', at, options)
}

function serveAgent(
  name: string,
  at: number,
  options: string[] = [],
  env: Record<string, string> = {},
): ChildProcess {
  const command = 'from agent_framework_chatkit.cli.commands import app; app()'
  const agent = `tests.fakes.${name}:helper`
  const folder = mkdtempSync(join(tmpdir(), 'trust-'))
  const store = ['--store', `sqlite:///${folder}/chat.db`, '--attachments', `${folder}/files`]
  const arguments_ = ['-c', command, 'serve', agent, '--port', String(at), ...store, ...options]
  const child = python(arguments_, env)
  others.push(() => child.kill())
  return child
}

/** A page of another site, at any host name and on its own port. */
async function elsewhere(html: string): Promise<number> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end(`<!doctype html><title>Elsewhere</title>${html}`)
  })
  others.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Return the number of the visitor's chats, as the app's own page sees them. */
function chats(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const response = await fetch('chatkit', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type: 'threads.list', params: {} }),
    })
    return ((await response.json()) as { data: unknown[] }).data.length
  })
}

beforeAll(async () => {
  site = await launch(
    (free) => serve((port = free), '--allowed-hosts', '127.0.0.1,chat.test'),
    ['chat.test', 'evil.test', 'local.test'],
  )
})
afterAll(async () => {
  for (const stop of others) stop()
  await site?.close()
})

const form = (action: string): string => `
  <form method="post" enctype="multipart/form-data" action="${action}">
    <input type="file" name="file">
  </form>
  <script>
    const files = new DataTransfer()
    files.items.add(new File(['a,b'], 'a.csv', { type: 'text/csv' }))
    document.querySelector('input').files = files.files
  </script>`

describe.each([
  // Browsers send `Sec-Fetch-Site` only to addresses that they trust, such as the first two.
  ['127.0.0.1', 'evil.test'],
  ['127.0.0.1', '127.0.0.1'],
  ['chat.test', 'evil.test'],
  ['chat.test', 'chat.test'],
])('a form at %s, submitted from another port of %s,', (name, from) => {
  test('changes nothing, and keeps the visitor', async () => {
    const chat = `http://${name}:${port}`
    const person = await Person.at({ ...site, url: chat })
    await person.say('Hello')
    await person.button('Send').waitFor()
    await expect.poll(() => chats(person.page)).toBe(1)
    const { page } = person
    const context = page.context()
    const before = await context.cookies()
    await page.goto(`http://${from}:${await elsewhere(form(`${chat}/attachments`))}/`)
    const [response] = await Promise.all([
      page.waitForResponse(`${chat}/attachments`),
      page.evaluate(() => document.querySelector('form')!.submit()),
    ])
    expect(response.status()).toBe(403)
    await page.waitForURL('**/attachments')
    expect(await context.cookies()).toEqual(before)
    await page.goto(chat)
    expect(await chats(page)).toBe(1)
    await context.close()
  })
})

test("a page whose name resolves to the chat's machine is rejected", async () => {
  const local = await freePort()
  serve(local)
  await expect.poll(() => answers(`http://127.0.0.1:${local}`)).toBe(true)
  const context = await site.browser.newContext()
  const page = await context.newPage()
  expect((await page.goto(`http://127.0.0.1:${local}/`))?.status()).toBe(200)
  expect(await chats(page)).toBe(0)
  const response = await page.goto(`http://local.test:${local}/`)
  expect(response?.status()).toBe(403)
  expect(await response?.text()).toContain('--allowed-hosts')
  // As after DNS rebinding: to the browser, the page has the app's own origin.
  const approval = await page.evaluate(async () => {
    const response = await fetch('/chatkit', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-Host': 'localhost' },
      body: JSON.stringify({ type: 'threads.list', params: {} }),
    })
    return response.status
  })
  expect(approval).toBe(403)
  expect(await context.cookies(`http://local.test:${local}/`)).toEqual([])
  await context.close()
})

test('two chats on one host keep their visitors', async () => {
  const second = await freePort()
  serve(second)
  const urls = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${second}`]
  await expect.poll(() => answers(urls[1]!)).toBe(true)
  const context = await site.browser.newContext()
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  for (const url of urls) {
    await page.goto(url)
    const person = new Person(page, url)
    await person.composer.waitFor()
    await person.say('Hello')
    await expect.poll(() => chats(page)).toBe(1)
  }
  for (const url of urls) {
    await page.goto(url)
    expect(await chats(page)).toBe(1)
  }
  expect(await context.cookies()).toHaveLength(2)
  await context.close()
})

// The chat's own name on another port is the same site, so its frame has the cookie.
test.each(['evil.test', '127.0.0.1'])(
  'a call cannot be approved in the frame of a page at %s, where clicks can be stolen',
  async (name) => {
    const payments = join(mkdtempSync(join(tmpdir(), 'trust-')), 'payments')
    const free = await freePort()
    serveAgent('asking_agent', free, [], { PAYMENTS: payments })
    const url = `http://127.0.0.1:${free}`
    await expect.poll(() => answers(url)).toBe(true)
    const person = await Person.at({ ...site, url })
    const { page } = person
    const approve = person.button('Approve')
    await person.say('Pay')
    await approve.waitFor()
    const thread = page.url()
    await page.goto(`http://${name}:${await elsewhere(`<iframe src="${thread}"></iframe>`)}/`)
    await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/)
    await expect
      .poll(() => page.frames()[1]!.getByRole('button', { name: 'Approve' }).count())
      .toBe(0)
    // The user can still approve it on the page itself.
    await page.goto(thread)
    await approve.waitFor()
    expect(existsSync(payments)).toBe(false)
    await approve.click()
    await expect.poll(() => existsSync(payments)).toBe(true)
    await page.context().close()
  },
)
