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
    const path = incoming.url ?? '/'
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
  await chat.getByPlaceholder('Ask us').waitFor()
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
  await ann.button('menu').click()
  await ann.button('close').click()
  await ann.button('Say hello').click()
  await ann.text(/You said Hello from a prompt/).waitFor()
  await ann.button('Send').waitFor()
  expect(await ann.button('Another answer').count()).toBe(0)

  // Each method does what it says.
  await call((chat) => chat.sendUserMessage({ text: 'locate' }))
  await ann.text(/Oslo by locate/).waitFor()
  await ann.button('Send').waitFor()
  await call((chat) => chat.setComposerValue({ text: 'A draft', selectedToolId: 'search' }))
  expect(await ann.composer.inputValue()).toBe('A draft')
  await call((chat) => chat.setComposerValue({ selectedToolId: null }))
  await call((chat) => chat.focusComposer())
  const focused = await page.frames()[1]?.evaluate(() => document.activeElement?.tagName)
  expect(focused).toBe('TEXTAREA')
  await call((chat) => chat.fetchUpdates())
  await ann.text(/Oslo by locate/).waitFor()
  await call((chat) => chat.sendCustomAction({ type: 'unknown', payload: {} }))
  await call((chat) => chat.showHistory())
  await chat.getByRole('searchbox').waitFor()
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
    'history.open',
    'history.close',
  ]) {
    expect(names).toContain(name)
  }
  const others = ann.complaints.filter((each) => each.startsWith('http'))
  expect(others).toEqual([])
  await context.close()
}, 60_000)
