/** The interface between a page and the element: options, methods and events. */

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { openedSite } from './openedSite'
import { api, frame, greeted, received, openPage, plain, start } from './elementPage'

const site = openedSite()

const pageWith = (html: string): Promise<Page> => openPage(site, html)

test('an event carries its details as objects of the page', async () => {
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
  await expect
    .poll(() => received(page, 'deeplink'))
    .toEqual([{ name: 'map', data: { zoom: '3' } }])
  await expect
    .poll(() => received(page, 'effect'))
    .toEqual([{ name: 'confetti', data: { colors: ['red'] } }])
  await expect.poll(() => received(page, 'error')).toEqual(['Error: No more.'])
  await expect.poll(() => received(page, 'tool.change')).toEqual([{ toolId: 'find' }])
  await expect.poll(() => received(page, 'thread.change')).toEqual([{ threadId: 't' }])
  for (const name of ['response.start', 'response.end', 'history.open', 'history.close']) {
    await expect.poll(() => received(page, name), { message: name }).toEqual([null])
  }
  await expect
    .poll(() => received(page, 'log'))
    .toContainEqual({
      name: 'request',
      data: { type: 'threads.create', status: 200, milliseconds: expect.any(Number) },
    })
  await page.evaluate(() => window.ending(window.element.setThreadId('other')))
  await expect.poll(() => received(page, 'thread.load.start')).toEqual([{ threadId: 'other' }])
  await expect.poll(() => received(page, 'thread.load.end')).toEqual([{ threadId: 'other' }])
  await page.context().close()
})

test('a method that fails says why', async () => {
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
    'setThreadId needs a thread ID, or null for a new thread.',
    'done',
    'sendUserMessage needs a text, content or attachments.',
    'sendCustomAction needs an open thread. Send a message or call setThreadId first.',
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
  const busyWords = 'A response is in progress. Wait for the event chatkit.response.end.'
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

test('an invalid option is reported in the frame and to the page, and the rest works', async () => {
  const page = await pageWith(plain)
  await start(page, { api, theme: 'blue', startScreen: { greeting: 'Still here', prompts: 7 } })
  await greeted(page, 'Still here')
  const alert = frame(page).getByRole('alert')
  await alert.getByText('theme must be "light" or "dark".').waitFor()
  await alert.getByText('startScreen.prompts must be a list.').waitFor()
  await expect
    .poll(() => received(page, 'error'))
    .toEqual([
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
])('options without an api.url are explained: %j', async (options, words) => {
  const page = await pageWith(plain)
  await start(page, options)
  await frame(page).getByRole('alert').getByText(words).waitFor()
  const refused = await page.evaluate(() =>
    window.ending(window.element.sendUserMessage({ text: 'x' })),
  )
  expect(refused).toContain(words)
  // Corrected options work at once, with their initial thread.
  await page.evaluate(() =>
    window.element.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      initialThread: 'thr_first',
    }),
  )
  await frame(page).getByRole('textbox', { name: 'Message' }).waitFor()
  await expect.poll(() => received(page, 'thread.load.end')).toEqual([{ threadId: 'thr_first' }])
  await page.context().close()
})

test('options can change during use', async () => {
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
  await expect.poll(() => page.locator('iframe').getAttribute('title')).toBe('Help')
  await expect.poll(() => chat.locator('html').getAttribute('lang')).toBe('fr')
  // A chosen tool that is no longer offered is deselected.
  await expect
    .poll(async () => (await received(page, 'tool.change')).at(-1))
    .toEqual({ toolId: null })
  await set({ header: { enabled: false }, disclaimer: { text: 'Be careful.' } })
  await expect.poll(() => chat.locator('header').count()).toBe(0)
  await chat.getByText('Be careful.').waitFor()
  await chat.locator('.composer').getByText('Kept').waitFor()
  await page.evaluate(() => window.element.showHistory())
  await chat.getByRole('searchbox').waitFor()
  await set({ history: { enabled: false } })
  await expect.poll(() => chat.getByRole('searchbox').count()).toBe(0)
  // A different server has different threads.
  await page.evaluate(() => window.element.sendUserMessage({ text: 'Hello' }))
  await set({ api: { ...api, url: '/another' } })
  await chat.locator('.greeting').waitFor()
  await expect
    .poll(async () => (await received(page, 'thread.change')).at(-1))
    .toEqual({ threadId: null })
  await page.context().close()
})

test('a list of chats that the app closes does not take the focus from the app', async () => {
  const page = await openPage(site, `<input aria-label="Own">${plain}`)
  await start(page)
  await greeted(page)
  await page.evaluate(() => window.element.showHistory())
  const search = frame(page).getByRole('searchbox')
  await expect.poll(() => search.evaluate((each) => each === document.activeElement)).toBe(true)
  await search.evaluate((each: HTMLElement) => each.blur())
  const own = page.getByLabel('Own')
  await own.focus()
  await page.evaluate(() => window.element.hideHistory())
  await greeted(page)
  await frame(page).getByRole('textbox', { name: 'Message' }).waitFor()
  expect(await own.evaluate((each) => each === document.activeElement)).toBe(true)
  await page.context().close()
})
