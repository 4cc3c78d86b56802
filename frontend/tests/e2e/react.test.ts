/** An app with chatkit-react, which runs unchanged. */

import { createServer, request as ask, type Server } from 'node:http'
import { mkdtempSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { PATIENCE } from './patience'

const site = openedSite()
let server: Server
let url: string
/** The number of requests with the header that the app's own `fetch` sets. */
let marked = 0

beforeAll(async () => {
  const outDir = mkdtempSync(join(tmpdir(), 'react-app-'))
  const root = fileURLToPath(new URL('./react-app', import.meta.url))
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    build: { outDir, emptyOutDir: true },
  })
  // Serve the app and the chat at one address, as a company would.
  server = createServer((incoming, response) => {
    const path = new URL(incoming.url ?? '/', 'http://app').pathname
    if (incoming.headers['x-app'] !== undefined) marked += 1
    if (path === '/' || path.startsWith('/assets/')) {
      const file = readFileSync(join(outDir, path === '/' ? 'index.html' : path))
      response.setHeader('Content-Type', path === '/' ? 'text/html' : 'text/javascript')
      response.end(file)
      return
    }
    const { method, headers } = incoming
    incoming.pipe(
      ask(`${site.url}${path}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => server?.close())

/** A user of the app. */
class Customer extends Person {
  static async enter(): Promise<Customer> {
    const context = await site.browser.newContext({ viewport: { width: 1000, height: 760 } })
    context.setDefaultTimeout(PATIENCE)
    const customer = new Customer(await context.newPage(), url)
    await customer.page.goto(url)
    await customer.chat.getByRole('heading', { name: 'How can we help?' }).waitFor()
    return customer
  }

  /** Return the events that the app received, each as `<name> <JSON>`. */
  received(): Promise<string[]> {
    return this.page.evaluate(() => window.received)
  }

  /** Wait until the app has received an event of each name. */
  async receives(...names: string[]): Promise<void> {
    await expect
      .poll(async () => (await this.received()).map((each) => each.split(' ')[0]))
      .toEqual(expect.arrayContaining(names))
  }

  /** Call a method as the app does. */
  call<T>(act: (chat: Window['chat']) => Promise<T>): Promise<unknown> {
    return this.page.evaluate(`(${act.toString()})(window.chat)`)
  }

  async leave(): Promise<void> {
    expect(this.problems.filter((each) => each.startsWith('http'))).toEqual([])
    await super.leave()
  }
}

test('the options take effect', async () => {
  const ann = await Customer.enter()
  const { page, chat } = ann
  await chat.locator('[aria-placeholder="Ask us"]').waitFor()
  await chat.getByText('It may be wrong.').waitFor()
  await chat.getByRole('heading', { name: 'Help', exact: true }).waitFor()
  await expect.poll(() => page.locator('iframe').getAttribute('title')).toBe('The help desk')
  const style = await page.frames()[1]?.evaluate(() => {
    const { backgroundColor, fontFamily, fontSize } = getComputedStyle(document.body)
    const { lang, dataset } = document.documentElement
    return { backgroundColor, fontFamily, fontSize, lang, theme: dataset['theme'] }
  })
  expect(style).toEqual({
    backgroundColor: 'rgb(16, 20, 24)',
    fontFamily: 'serif',
    fontSize: '15px',
    lang: 'en',
    theme: 'dark',
  })
  const disclaimer = chat.locator('.disclaimer')
  await expect.poll(() => disclaimer.getAttribute('class')).toBe('disclaimer contrast')
  await ann.button('Say hello').locator('svg').waitFor()
  await ann.button('Dictate').waitFor()
  await ann.button('menu').click()
  await ann.button('close').click()
  await ann.receives('ready', 'left', 'right')
  await ann.leave()
})

test('a prompt is sent by the app’s own fetch, and its answer can be rated', async () => {
  const ann = await Customer.enter()
  const before = marked
  const asking = ann.page.waitForRequest(
    (each) => each.postData()?.includes('threads.create') ?? false,
  )
  await ann.button('Say hello').click()
  const asked = (await asking).postDataJSON() as {
    params: { input: { inference_options: object } }
  }
  expect(asked.params.input.inference_options).toEqual({ model: 'large' })
  await ann.text(/You said Hello from a prompt/).waitFor()
  await ann.button('Send').waitFor()
  expect(marked).toBeGreaterThan(before)
  await expect.poll(() => ann.button('Get another answer').count()).toBe(0)
  await ann.button('Good answer').click()
  await expect.poll(() => ann.button('Good answer').getAttribute('aria-pressed')).toBe('true')
  await ann.receives('response.start', 'response.end', 'thread.change')
  await ann.leave()
})

test('each method of the composer and of threads works', async () => {
  const ann = await Customer.enter()
  const { page, chat } = ann
  await ann.call((chat) => chat.sendUserMessage({ text: 'locate' }))
  await ann.text(/Oslo by locate/).waitFor()
  await ann.button('Send').waitFor()
  await ann.call((chat) => chat.setComposerValue({ text: 'A draft', selectedToolId: 'search' }))
  await expect.poll(() => ann.composer.textContent()).toBe('A draft')
  await chat.locator('[aria-placeholder="Search for"]').waitFor()
  await ann.button('Turn off Search').waitFor()
  await ann.call((chat) => chat.setComposerValue({ selectedToolId: null }))
  await ann.call((chat) => chat.focusComposer())
  const focused = await page.frames()[1]?.evaluate(() => document.activeElement?.ariaLabel)
  expect(focused).toBe('Message')
  await expect.poll(() => ann.received()).toContain('tool.change {"toolId":"search"}')
  await ann.call((chat) => chat.fetchUpdates())
  await ann.text(/Oslo by locate/).waitFor()

  const first = (await ann.received()).findLast((each) => each.startsWith('thread.change "'))
  const id = JSON.parse(first?.slice('thread.change '.length) ?? 'null') as string
  await ann.call((chat) => chat.setThreadId(null))
  await chat.getByRole('heading', { name: 'How can we help?' }).waitFor()
  await ann.call((chat) => chat.sendUserMessage({ text: 'Anew', newThread: true }))
  await ann.text(/You said Anew, and I know 1/).waitFor()
  await page.evaluate((threadId) => window.chat.setThreadId(threadId), id)
  await ann.text(/Oslo by locate/).waitFor()
  await ann.receives('load.start', 'load.end')
  // The app starts with its initial thread.
  await page.goto(`${url}/?thread=${id}`)
  await ann.text(/Oslo by locate/).waitFor()
  await ann.leave()
})

test('the chat list opens and closes, and an action that the server lacks is reported', async () => {
  const ann = await Customer.enter()
  await ann.call((chat) => chat.sendUserMessage({ text: 'Hello' }))
  await ann.call((chat) => chat.sendCustomAction({ type: 'unknown', payload: {} }))
  await ann.chat.getByText('This chat cannot do that.').first().waitFor()
  await ann.call((chat) => chat.showHistory())
  await ann.chat.getByRole('searchbox').waitFor()
  await ann.button('Delete Hello').waitFor()
  await expect.poll(() => ann.chat.getByRole('button', { name: /^Rename/ }).count()).toBe(0)
  await ann.call((chat) => chat.hideHistory())
  await ann.receives('history.open', 'history.close')
  await ann.leave()
})

test('tags, commands, models and files are chosen and sent', async () => {
  const ann = await Customer.enter()
  const { page, chat } = ann
  await ann.button('Mention').click()
  await chat.getByRole('option', { name: 'Kari' }).click()
  await ann.button('@Kari').click()
  await chat.getByText('Kari works at sea.').waitFor()
  await ann.composer.press('Control+End')
  await page.keyboard.type('/ship')
  await chat.getByRole('option', { name: 'Name a ship' }).click()
  await ann.composer.getByText('@Fram').waitFor()
  await chat.getByRole('button', { name: /Large/ }).click()
  await chat.getByRole('menuitemradio', { name: 'Small Fast' }).click()
  await chat.locator('input[type=file]').setInputFiles([
    { name: 'log.txt', mimeType: 'text/plain', buffer: Buffer.from('All is well.') },
    { name: 'large.txt', mimeType: 'text/plain', buffer: Buffer.alloc(2000, 'x') },
  ])
  await chat.getByText('large.txt: It is larger than 1 kB.').waitFor()
  await ann.button('Send').click()
  await ann.text(/You said.*Kari.*Fram/).waitFor()
  await ann.receives('tag.click')
  await ann.leave()
})

test("the server's events for the app reach the app", async () => {
  const ann = await Customer.enter()
  const item = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
  const content = [
    { type: 'output_text', text: '[Map](chatkit-link://map?zoom=3)', annotations: [] },
  ]
  const onClickAction = { type: 'buy', payload: { id: 7 }, handler: 'client' }
  const button = { type: 'Button', label: 'Buy', onClickAction }
  const events = [
    { type: 'client_effect', name: 'confetti', data: { colors: ['red'] } },
    { type: 'thread.item.done', item: { ...item, id: 'm', type: 'assistant_message', content } },
    {
      type: 'thread.item.done',
      item: { ...item, id: 'w', type: 'widget', widget: { type: 'Card', children: [button] } },
    },
    { type: 'error', code: 'custom', message: 'No more.', allow_retry: false },
  ]
  await ann.page.route('**/chatkit', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
    }),
  )
  await ann.call((chat) => chat.sendUserMessage({ text: 'Everything' }))
  await ann.chat.getByRole('link', { name: 'Map' }).click()
  await ann.button('Buy').click()
  const said = expect.arrayContaining([
    'effect {"name":"confetti","data":{"colors":["red"]}}',
    'deeplink {"name":"map","data":{"zoom":"3"}}',
    'action {"action":{"type":"buy","payload":{"id":7}},"id":"w"}',
    'error "No more."',
    expect.stringMatching(/^log {"name":"request","data":{"type":"threads.create","status":200/),
  ])
  await expect.poll(() => ann.received()).toEqual(said)
  await ann.leave()
})
