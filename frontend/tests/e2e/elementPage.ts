/** Pages with the element. */

import type { OpenAIChatKit } from '@openai/chatkit'
import type { FrameLocator, Page } from 'playwright-core'

import type { Site } from './browser'
import { PATIENCE } from './patience'

declare global {
  interface Window {
    element: OpenAIChatKit
    /** The element's events so far. */
    events: [name: string, detail: unknown][]
    /** A server in the page: a stream is a list of events, and `null` never ends. */
    serverOf: (answers: Record<string, unknown>) => typeof fetch
    /** Returns the result of a call: `done`, or the error's message. */
    ending: (call: Promise<unknown>) => Promise<string>
  }
}

/** Open a page with some HTML, at the chat's own origin. */
export async function openPage(site: Site, html: string): Promise<Page> {
  const context = await site.browser.newContext({ viewport: { width: 800, height: 700 } })
  context.setDefaultTimeout(PATIENCE)
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

export const api = { url: '/chatkit', domainKey: 'local' }
export const plain =
  '<script src="/chatkit.js"></script><openai-chatkit style="height: 600px"></openai-chatkit>'

export function frame(page: Page, index = 0): FrameLocator {
  return page.frameLocator(`iframe >> nth=${index}`)
}

export async function greeted(
  page: Page,
  words = 'What can I help with today?',
  index = 0,
): Promise<void> {
  await frame(page, index).getByRole('heading', { name: words }).waitFor()
}

/** Find the element, record its events, and set its options. */
export async function start(page: Page, options: object = { api }): Promise<void> {
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

export const received = (page: Page, name: string): Promise<unknown[]> =>
  page.evaluate(
    (wanted) => window.events.filter(([each]) => each === wanted).map(([, detail]) => detail),
    name,
  )
