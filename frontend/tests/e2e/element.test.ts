/** The element in all kinds of pages: adding, moving and removing it. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { OpenAIChatKit } from '@openai/chatkit'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { openedSite } from './openedSite'
import { frame, greeted, openPage, plain, start } from './elementPage'

const site = openedSite()

const pageWith = (html: string): Promise<Page> => openPage(site, html)

const tags: [string, string][] = [
  ['a plain script', '<script src="/chatkit.js"></script><openai-chatkit></openai-chatkit>'],
  ['an async script', '<script async src="/chatkit.js"></script><openai-chatkit></openai-chatkit>'],
  [
    'a deferred script',
    '<script defer src="/chatkit.js"></script><openai-chatkit></openai-chatkit>',
  ],
  [
    'a module',
    '<script type="module" src="/chatkit.js"></script><openai-chatkit></openai-chatkit>',
  ],
  ['an import', '<openai-chatkit></openai-chatkit><script>import("/chatkit.js")</script>'],
  [
    'a script after the element',
    '<openai-chatkit></openai-chatkit><script src="/chatkit.js"></script>',
  ],
  [
    'two scripts',
    '<script src="/chatkit.js"></script><script src="/chatkit.js?again"></script><openai-chatkit></openai-chatkit>',
  ],
]

test.each(tags)('the element works with %s', async (_, html) => {
  const page = await pageWith(html)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.evaluate(() => customElements.whenDefined('openai-chatkit'))
  await start(page)
  await greeted(page)
  expect(await page.evaluate(() => getComputedStyle(window.element).display)).toBe('block')
  await page.evaluate(() => (window.element.hidden = true))
  await expect.poll(() => page.locator('iframe').isVisible()).toBe(false)
  expect(errors).toEqual([])
  await page.context().close()
})

test('a page of another origin can use the element', async () => {
  const html = `<!doctype html><script src="${site.url}/chatkit.js"></script><openai-chatkit></openai-chatkit>`
  const shop = createServer((_, response) =>
    response.setHeader('Content-Type', 'text/html').end(html),
  )
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
  const page = await (await site.browser.newContext()).newPage()
  await page.goto(`http://127.0.0.1:${(shop.address() as AddressInfo).port}`)
  await start(page)
  await greeted(page)
  await page.context().close()
  shop.close()
})

test('a load failure is reported, and pending calls end', async () => {
  const page = await pageWith('')
  await page.route('**/ui/app-*.js', (route) => route.fulfill({ status: 404 }))
  const note = `addEventListener('chatkit.error', ({ detail }) => (document.title = detail.error.message), true)`
  await page.setContent(`<script>${note}</script>${plain}`)
  await frame(page).getByRole('alert').getByText('The chat could not be started').waitFor()
  await expect.poll(() => page.title()).toContain('The chat could not be started')
  await start(page)
  const ended = await page.evaluate(() => window.ending(window.element.focusComposer()))
  expect(ended).toContain('cannot be loaded')
  await page.context().close()
})

test('calls wait until the element is in a page and has options', async () => {
  const page = await pageWith('<script src="/chatkit.js"></script>')
  const calls = page.evaluate(async () => {
    window.element = document.createElement('openai-chatkit') as OpenAIChatKit
    const sent = window.ending(window.element.sendUserMessage({ text: 'Early' }))
    document.body.append(window.element)
    await new Promise((resolve) => window.element.addEventListener('chatkit.ready', resolve))
    window.element.setOptions({ api: { url: '/chatkit', domainKey: 'local' } })
    return sent
  })
  await frame(page)
    .locator('.items')
    .getByText(/You said Early/)
    .waitFor()
  expect(await calls).toBe('done')
  await page.context().close()
})

test('removing the element ends its calls, and adding it again restores the thread and the answer', async () => {
  const page = await pageWith(plain)
  await start(page)
  await page.evaluate(() => window.element.sendUserMessage({ text: 'Remember' }))
  await frame(page).getByRole('textbox', { name: 'Message' }).fill('A draft')
  const ends = await page.evaluate(async () => {
    const { ending, element: chat } = window
    const running = ending(chat.sendUserMessage({ text: 'talk' }))
    await new Promise((resolve) => setTimeout(resolve, 100))
    chat.remove()
    const later = ending(chat.focusComposer())
    return Promise.all([running, later])
  })
  expect(ends).toEqual(Array(2).fill('The chat is no longer in the page.'))
  await page.evaluate(() => document.body.append(window.element))
  await frame(page)
    .locator('.items')
    .getByText(/You said Remember/)
    .waitFor()
  await frame(page).locator('.composer').getByText('A draft').waitFor()
  expect(await page.evaluate(() => window.ending(window.element.focusComposer()))).toBe('done')
  await page.context().close()
})

test('an element that is moved within the page continues', async () => {
  const page = await pageWith(`${plain}<div id="there" style="height: 300px"></div>`)
  await start(page)
  await page.evaluate(() => window.element.sendUserMessage({ text: 'Before' }))
  const ended = await page.evaluate(() => {
    const there = document.getElementById('there')!
    there.append(window.element)
    return window.ending(window.element.sendUserMessage({ text: 'After' }))
  })
  expect(ended).toBe('done')
  await frame(page)
    .locator('.items')
    .getByText(/You said After/)
    .waitFor()
  const isSame = await page.evaluate(() => {
    const inner = window.element.shadowRoot!.querySelector('iframe')!.contentWindow
    const body = document.body as HTMLElement & { moveBefore?: (node: Node, child: null) => void }
    body.moveBefore?.(window.element, null)
    return inner === window.element.shadowRoot!.querySelector('iframe')!.contentWindow
  })
  expect(isSame).toBe(true)
  await frame(page)
    .locator('.items')
    .getByText(/You said After/)
    .waitFor()
  await page.context().close()
})

test('several elements use different servers', async () => {
  const page = await pageWith(plain.repeat(2))
  await page.evaluate(() => {
    document.querySelectorAll('openai-chatkit').forEach((chat, index) => {
      const threads = {
        data: [{ id: 't', title: `Of ${index}`, created_at: '2026-01-01' }],
        has_more: false,
      }
      ;(chat as OpenAIChatKit).setOptions({
        api: {
          url: `/server${index}`,
          domainKey: 'local',
          fetch: window.serverOf({ 'threads.list': threads }),
        },
        theme: index === 0 ? 'light' : 'dark',
        locale: index === 0 ? 'en' : 'de',
      })
    })
  })
  await frame(page, 0).getByRole('button', { name: 'Chats' }).click()
  await frame(page, 1)
    .getByRole('button', { name: 'Chats' })
    .or(frame(page, 1).getByRole('button', { name: 'Unterhaltungen' }))
    .first()
    .click()
  await frame(page, 0).getByRole('button', { name: 'Of 0', exact: true }).waitFor()
  await frame(page, 1).getByRole('button', { name: 'Of 1', exact: true }).waitFor()
  for (const [index, theme] of ['light', 'dark'].entries()) {
    const html = frame(page, index).locator('html')
    await expect.poll(() => html.getAttribute('data-theme')).toBe(theme)
  }
  await page.context().close()
})
