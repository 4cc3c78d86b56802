import { createServer, request as ask, type Server } from 'node:http'
import { mkdtempSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { open, Person, type Site } from './browser'

let site: Site
let server: Server
/** How many requests carried the header that the app's own fetch sets. */
let marked = 0

beforeAll(async () => {
  site = await open()
  const outDir = mkdtempSync(join(tmpdir(), 'react-app-'))
  const root = fileURLToPath(new URL('./react-app', import.meta.url))
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    build: { outDir, emptyOutDir: true },
  })
  // The app and the chat behind one address, as a company serves them.
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
}, 90_000)

afterAll(async () => {
  server?.close()
  await site?.close()
})

test('an app made with chatkit-react runs unchanged', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const context = await site.browser.newContext({ viewport: { width: 1000, height: 760 } })
  const ann = new Person(await context.newPage(), url)
  const { page, chat } = ann
  await page.goto(url)
  const heard = (): Promise<string[]> => page.evaluate(() => window.heard)
  const call = <T>(act: (chat: Window['chat']) => Promise<T>): Promise<unknown> =>
    page.evaluate(`(${act.toString()})(window.chat)`)

  // What the options say is what is seen.
  await chat.getByRole('heading', { name: 'How can we help?' }).waitFor()
  await chat.locator('[aria-placeholder="Ask us"]').waitFor()
  await chat.getByText('It may be wrong.').waitFor()
  await chat.getByRole('heading', { name: 'Help', exact: true }).waitFor()
  expect(await page.locator('iframe').getAttribute('title')).toBe('The help desk')
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
  expect(
    await page.frames()[1]?.evaluate(() => document.querySelector('.disclaimer')?.className),
  ).toBe('disclaimer contrast')
  await ann.button('Say hello').locator('svg').waitFor()
  await ann.button('menu').click()
  await ann.button('close').click()
  const asking = page.waitForRequest((each) => each.postData()?.includes('threads.create') ?? false)
  await ann.button('Say hello').click()
  const asked = (await asking).postDataJSON() as {
    params: { input: { inference_options: object } }
  }
  expect(asked.params.input.inference_options).toEqual({ model: 'large' })
  await ann.text(/You said Hello from a prompt/).waitFor()
  await ann.button('Send').waitFor()
  expect(await ann.button('Another answer').count()).toBe(0)

  await ann.button('Good answer').click()
  expect(await ann.button('Good answer').getAttribute('aria-pressed')).toBe('true')

  // Each method does what it says.
  await call((chat) => chat.sendUserMessage({ text: 'locate' }))
  await ann.text(/Oslo by locate/).waitFor()
  await ann.button('Send').waitFor()
  await call((chat) => chat.setComposerValue({ text: 'A draft', selectedToolId: 'search' }))
  expect(await ann.composer.textContent()).toBe('A draft')
  await chat.locator('[aria-placeholder="Search for"]').waitFor()
  await ann.button('Do not use Search').waitFor()
  await call((chat) => chat.setComposerValue({ selectedToolId: null }))
  await call((chat) => chat.focusComposer())
  const focused = await page.frames()[1]?.evaluate(() => document.activeElement?.ariaLabel)
  expect(focused).toBe('Message')

  // Tags are found, chosen, clicked and previewed; commands are chosen; files are refused and taken.
  await ann.composer.fill('')
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
  await ann.button('Dictate').waitFor()
  await ann.button('Send').click()
  await ann.text(/You said.*Kari.*Fram/).waitFor()
  await ann.button('Send').waitFor()
  await call((chat) => chat.fetchUpdates())
  await ann.text(/Oslo by locate/).waitFor()
  // The server has no such action, and the app is told.
  await call((chat) => chat.sendCustomAction({ type: 'unknown', payload: {} }))
  await chat.getByText('This chat cannot do that.').first().waitFor()
  await call((chat) => chat.showHistory())
  await chat.getByRole('searchbox').waitFor()
  await ann.button('Delete Hello from a prompt').waitFor()
  expect(await chat.getByRole('button', { name: /^Rename/ }).count()).toBe(0)
  await call((chat) => chat.hideHistory())
  const first = (await heard()).findLast((each) => each.startsWith('thread.change "'))
  expect(first).toBeDefined()
  await call((chat) => chat.setThreadId(null))
  await chat.getByRole('heading', { name: 'How can we help?' }).waitFor()
  await call((chat) => chat.sendUserMessage({ text: 'Anew', newThread: true }))
  await ann.text(/You said Anew, and I know 1/).waitFor()
  const id = JSON.parse(first?.slice('thread.change '.length) ?? '') as string
  await page.evaluate((threadId) => window.chat.setThreadId(threadId), id)
  await ann.text(/Oslo by locate/).waitFor()

  // What the server sends for the app gets there.
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
  await page.route('**/chatkit', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
    }),
  )
  await call((chat) => chat.sendUserMessage({ text: 'Everything' }))
  await chat.getByRole('link', { name: 'Map' }).click()
  await ann.button('Buy').click()
  const said = expect.arrayContaining([
    'effect {"name":"confetti","data":{"colors":["red"]}}',
    'deeplink {"name":"map","data":{"zoom":"3"}}',
    'action {"action":{"type":"buy","payload":{"id":7}},"id":"w"}',
    'error "No more."',
    'tool.change {"toolId":"search"}',
    expect.stringMatching(/^log {"name":"request","data":{"type":"threads.create","status":200/),
  ])
  await expect.poll(heard).toEqual(said)
  await page.unroute('**/chatkit')
  expect(marked).toBeGreaterThan(5)

  const names = new Set((await heard()).map((each) => each.split(' ')[0]))
  for (const name of [
    'ready',
    'left',
    'right',
    'response.start',
    'response.end',
    'thread.change',
    'load.start',
    'load.end',
    'tool.change',
    'tag.click',
    'history.open',
    'history.close',
  ]) {
    expect(names).toContain(name)
  }
  // The app begins with the thread that it says.
  await page.goto(`${url}/?thread=${id}`)
  await ann.text(/Oslo by locate/).waitFor()

  const others = ann.complaints.filter((each) => each.startsWith('http'))
  expect(others).toEqual([])
  await context.close()
}, 60_000)
