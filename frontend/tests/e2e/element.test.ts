/** The element in pages of every kind: how it gets there, what it is told, and how it goes. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { OpenAIChatKit } from '@openai/chatkit'
import type { FrameLocator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { open, type Site } from './browser'

declare global {
  interface Window {
    element: OpenAIChatKit
    /** What the events were, once they are asked for. */
    events: [name: string, detail: unknown][]
    /** A server in the page: streams are lists of events, `null` never ends. */
    serverOf: (answers: Record<string, unknown>) => typeof fetch
    /** How a call ended: `done`, or the words of the error. */
    ending: (call: Promise<unknown>) => Promise<string>
  }
}

let site: Site

beforeAll(async () => {
  site = await open()
}, 60_000)
afterAll(() => site?.close())

/** A page with some HTML, at the chat's own origin. */
async function pageWith(html: string): Promise<Page> {
  const context = await site.browser.newContext({ viewport: { width: 800, height: 700 } })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  await page.addInitScript(prepare)
  await page.route(`${site.url}/host.html`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><title>A page</title>${html}`,
    }),
  )
  await page.goto(`${site.url}/host.html`)
  return page
}

function prepare(): void {
  window.ending = (call) =>
    call.then(
      () => 'done',
      (error: unknown) =>
        error instanceof Error ? error.message : `no Error of the page: ${String(error)}`,
    )
  window.serverOf = (answers) => async (_, init) => {
    const { type } = JSON.parse(String(init?.body)) as { type: string }
    const answer = answers[type]
    if (typeof answer === 'number') return new Response('', { status: answer })
    if (answer !== null && !Array.isArray(answer)) return Response.json(answer ?? {})
    const text = (answer ?? []).map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text || ':\n\n'))
        if (answer !== null) controller.close()
        init?.signal?.addEventListener('abort', () => controller.error(new Error('aborted')))
      },
    })
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
  }
}

const api = { url: '/chatkit', domainKey: 'local' }
const plain =
  '<script src="/chatkit.js"></script><openai-chatkit style="height: 600px"></openai-chatkit>'

function frame(page: Page, index = 0): FrameLocator {
  return page.frameLocator(`iframe >> nth=${index}`)
}

async function greeted(
  page: Page,
  words = 'What can I help with today?',
  index = 0,
): Promise<void> {
  await frame(page, index).getByRole('heading', { name: words }).waitFor()
}

/** Find the element, note its events, and set its options. */
async function start(page: Page, options: object = { api }): Promise<void> {
  await page.evaluate((given) => {
    window.element = document.querySelector('openai-chatkit')!
    window.events = []
    const names =
      'ready error effect deeplink response.start response.end history.open history.close thread.change thread.load.start thread.load.end tool.change log'
    for (const name of names.split(' ')) {
      window.element.addEventListener(`chatkit.${name}`, (event) => {
        const { detail } = event as CustomEvent<{ error?: unknown } | null>
        const isOwn = detail === null || Object.getPrototypeOf(detail) === Object.prototype
        const { error } = detail ?? {}
        window.events.push([
          name,
          !isOwn ? 'of the frame' : error instanceof Error ? `Error: ${error.message}` : detail,
        ])
      })
    }
    window.element.setOptions(given as never)
  }, options)
}

const heard = (page: Page, name: string): Promise<unknown[]> =>
  page.evaluate(
    (wanted) => window.events.filter(([each]) => each === wanted).map(([, detail]) => detail),
    name,
  )

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

test.each(tags)('it comes with %s', async (_, html) => {
  const page = await pageWith(html)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.evaluate(() => customElements.whenDefined('openai-chatkit'))
  await start(page)
  await greeted(page)
  expect(await page.evaluate(() => getComputedStyle(window.element).display)).toBe('block')
  await page.evaluate(() => (window.element.hidden = true))
  expect(await page.locator('iframe').isVisible()).toBe(false)
  expect(errors).toEqual([])
  await page.context().close()
})

test('a page of another origin uses it', async () => {
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

test('files that cannot be loaded are said, and calls end', async () => {
  const page = await pageWith('')
  await page.route('**/ui/app-*.js', (route) => route.fulfill({ status: 404 }))
  const note = `addEventListener('chatkit.error', ({ detail }) => (document.title = detail.error.message), true)`
  await page.setContent(`<script>${note}</script>${plain}`)
  await frame(page).getByRole('alert').getByText('The chat could not be started').waitFor()
  expect(await page.title()).toContain('The chat could not be started')
  await start(page)
  const ended = await page.evaluate(() => window.ending(window.element.focusComposer()))
  expect(ended).toContain('cannot be loaded')
  await page.context().close()
})

test('calls wait for the element to be in a page, and for options', async () => {
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

test('taken away, its calls end; put back, it has its thread and what was being written', async () => {
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
  expect(ends).toEqual(Array(2).fill('The chat is not in the page any more.'))
  await page.evaluate(() => document.body.append(window.element))
  await frame(page)
    .locator('.items')
    .getByText(/You said Remember/)
    .waitFor()
  await frame(page).locator('.composer').getByText('A draft').waitFor()
  expect(await page.evaluate(() => window.ending(window.element.focusComposer()))).toBe('done')
  await page.context().close()
})

test('moved within the page, it goes on where it was', async () => {
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

test('several elements speak with servers of their own', async () => {
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
  const themes = [0, 1].map((index) =>
    frame(page, index).locator('html').getAttribute('data-theme'),
  )
  expect(await Promise.all(themes)).toEqual(['light', 'dark'])
  await page.context().close()
})

test('an event says what it is about, in objects of the page', async () => {
  const page = await pageWith(plain)
  await start(page)
  await page.evaluate(async () => {
    const thread = { id: 't', created_at: '2026-01-01', items: { data: [] } }
    const text = 'See [the map](chatkit-link://map?zoom=3).'
    const content = [{ type: 'output_text', text, annotations: [] }]
    const item = {
      id: 'm',
      thread_id: 't',
      created_at: '2026-01-01',
      type: 'assistant_message',
      content,
    }
    const fetch = window.serverOf({
      'threads.create': [
        { type: 'thread.created', thread },
        { type: 'client_effect', name: 'confetti', data: { colors: ['red'] } },
        { type: 'thread.item.done', item },
        { type: 'error', code: 'custom', message: 'No more.', allow_retry: false },
      ],
    })
    window.element.setOptions({
      api: { url: '/chatkit', domainKey: 'local', fetch },
      composer: { tools: [{ id: 'find', label: 'Find', icon: 'search' }] },
    })
    await window.element.sendUserMessage({ text: 'Go' })
    await window.element.setComposerValue({ selectedToolId: 'find' })
    await window.element.showHistory()
    await window.element.hideHistory()
  })
  await frame(page).getByRole('link', { name: 'the map' }).click()
  expect(await heard(page, 'deeplink')).toEqual([{ name: 'map', data: { zoom: '3' } }])
  expect(await heard(page, 'effect')).toEqual([{ name: 'confetti', data: { colors: ['red'] } }])
  expect(await heard(page, 'error')).toEqual(['Error: No more.'])
  expect(await heard(page, 'tool.change')).toEqual([{ toolId: 'find' }])
  expect(await heard(page, 'thread.change')).toEqual([{ threadId: 't' }])
  for (const name of ['response.start', 'response.end', 'history.open', 'history.close']) {
    expect(await heard(page, name), name).toEqual([null])
  }
  expect(await heard(page, 'log')).toContainEqual({
    name: 'request',
    data: { type: 'threads.create', status: 200, milliseconds: expect.any(Number) },
  })
  await page.evaluate(() => window.ending(window.element.setThreadId('other')))
  expect(await heard(page, 'thread.load.start')).toEqual([{ threadId: 'other' }])
  expect(await heard(page, 'thread.load.end')).toEqual([{ threadId: 'other' }])
  await page.context().close()
})

test('what a method cannot do, it says', async () => {
  const page = await pageWith(plain)
  await start(page)
  const ends = await page.evaluate(async () => {
    const { element: chat, ending } = window
    return [
      await ending(chat.setThreadId('thr_gone')),
      await ending(chat.setThreadId(7 as never)),
      await ending(chat.setThreadId(null)),
      await ending(chat.sendUserMessage({})),
      await ending(chat.sendCustomAction({ type: 'x' })),
      await ending(chat.setComposerValue({ selectedToolId: 'none' })),
      await ending(chat.setComposerValue({ selectedModelId: 'none' })),
    ]
  })
  expect(ends).toEqual([
    expect.stringMatching(/not found|no such|404/i),
    'setThreadId needs the id of a thread, or null for a new one.',
    'done',
    'sendUserMessage needs a text, content or attachments.',
    'There is no thread yet that an action could belong to.',
    'composer.tools has no tool none.',
    'composer.models has no model none.',
  ])
  const busy = await page.evaluate(async () => {
    const { element: chat, ending } = window
    const talking = ending(chat.sendUserMessage({ text: 'talk' }))
    await new Promise((resolve) => chat.addEventListener('chatkit.thread.change', resolve))
    const second = await ending(chat.sendUserMessage({ text: 'And?' }))
    const action = await ending(chat.sendCustomAction({ type: 'x' }))
    await chat.setThreadId(null)
    return [second, action, await talking]
  })
  const busyWords = 'An answer is on its way. Wait for the event chatkit.response.end.'
  expect(busy).toEqual([busyWords, busyWords, 'done'])
  const failed = await page.evaluate(() => {
    const fetch = async (): Promise<Response> => {
      throw new TypeError('offline')
    }
    window.element.setOptions({ api: { url: '/chatkit', domainKey: 'local', fetch } })
    return window.ending(window.element.sendUserMessage({ text: 'Hello?' }))
  })
  expect(failed).toBe('The server cannot be reached.')
  await page.context().close()
})

test('a wrong option is said in the frame and to the page, and the rest works', async () => {
  const page = await pageWith(plain)
  await start(page, { api, theme: 'blue', startScreen: { greeting: 'Still here', prompts: 7 } })
  await greeted(page, 'Still here')
  const alert = frame(page).getByRole('alert')
  await alert.getByText('theme must be "light" or "dark".').waitFor()
  await alert.getByText('startScreen.prompts must be a list.').waitFor()
  expect(await heard(page, 'error')).toEqual([
    'Error: theme must be "light" or "dark".',
    'Error: startScreen.prompts must be a list.',
  ])
  await alert.getByRole('button', { name: 'Close' }).click()
  await expect.poll(() => alert.count()).toBe(0)
  await page.evaluate(() => window.element.sendUserMessage({ text: 'Hello' }))
  await frame(page)
    .locator('.items')
    .getByText(/You said Hello/)
    .waitFor()
  await page.context().close()
})

test.each([
  [{ api: { getClientSecret: 'x' } }, 'this UI talks to your own server'],
  [{}, 'api.url is missing'],
])('without a server of its own, it says what to do: %j', async (options, words) => {
  const page = await pageWith(plain)
  await start(page, options)
  await frame(page).getByRole('alert').getByText(words).waitFor()
  const refused = await page.evaluate(() =>
    window.ending(window.element.sendUserMessage({ text: 'x' })),
  )
  expect(refused).toContain(words)
  // What is mended works at once, with the thread that it begins with.
  await page.evaluate(() =>
    window.element.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      initialThread: 'thr_first',
    }),
  )
  await frame(page).getByRole('textbox', { name: 'Message' }).waitFor()
  await expect.poll(() => heard(page, 'thread.load.end')).toEqual([{ threadId: 'thr_first' }])
  await page.context().close()
})

test('options are changed while it is used', async () => {
  const page = await pageWith(plain)
  await start(page, {
    api,
    composer: { tools: [{ id: 'find', label: 'Find', icon: 'search' }] },
    header: { title: { text: 'One' } },
  })
  const chat = frame(page)
  const set = (options: object): Promise<void> =>
    page.evaluate(
      (given) =>
        window.element.setOptions({ api: { url: '/chatkit', domainKey: 'local' }, ...given }),
      options,
    )
  await page.evaluate(() =>
    window.element.setComposerValue({ text: 'Kept', selectedToolId: 'find' }),
  )
  await set({ header: { title: { text: 'Two' } }, frameTitle: 'Help', locale: 'fr' })
  await chat.getByRole('heading', { name: 'Two' }).waitFor()
  expect(await page.locator('iframe').getAttribute('title')).toBe('Help')
  await expect.poll(() => chat.locator('html').getAttribute('lang')).toBe('fr')
  // A tool that is not offered any more is not chosen any more.
  expect((await heard(page, 'tool.change')).at(-1)).toEqual({ toolId: null })
  await set({ header: { enabled: false }, disclaimer: { text: 'Be careful.' } })
  await expect.poll(() => chat.locator('header').count()).toBe(0)
  await chat.getByText('Be careful.').waitFor()
  await chat.locator('.composer').getByText('Kept').waitFor()
  await page.evaluate(() => window.element.showHistory())
  await chat.getByRole('searchbox').waitFor()
  await set({ history: { enabled: false } })
  await expect.poll(() => chat.getByRole('searchbox').count()).toBe(0)
  // Another server has other threads.
  await page.evaluate(() => window.element.sendUserMessage({ text: 'Hello' }))
  await set({ api: { ...api, url: '/another' } })
  await chat.locator('.greeting').waitFor()
  expect((await heard(page, 'thread.change')).at(-1)).toEqual({ threadId: null })
  await page.context().close()
})
