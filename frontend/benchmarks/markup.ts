/** Measures how long costly texts block the page's thread in Chromium: `npm run bench-markup`. */

import type { Page } from 'playwright-core'

import { open, type Site } from '../tests/e2e/browser'
import { COSTLY } from '../tests/markdown/costly'

type Chat = HTMLElement & {
  setOptions: (options: object) => void
  setThreadId: (threadId: string | null) => Promise<void>
  sendUserMessage: (params: object) => Promise<void>
}

interface Event {
  name: string
  ph: string
  ts: number
  dur?: number
  tdur?: number
  pid: number
  tid: number
  args: { name?: string }
}

interface Longest {
  /** Milliseconds of processor time, and of the clock. */
  busy: number
  wall: number
  /** The tasks of the trace that took the most time, with their milliseconds. */
  parts: string
  total: number
}

const CATEGORIES = ['toplevel', 'devtools.timeline']
const SHOWN = process.env['PARTS'] !== undefined

/** Return the page's longest task of a trace. */
function longestOf(trace: Buffer): Longest {
  const { traceEvents: events } = JSON.parse(trace.toString()) as { traceEvents: Event[] }
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  const own = events.filter(({ ph, pid, tid }) => ph === 'X' && mains.has(`${pid} ${tid}`))
  const tasks = own.filter(
    ({ name }) => name === 'ThreadControllerImpl::RunTask' || name === 'RunTask',
  )
  const busy = (each: Event): number => (each.tdur ?? each.dur ?? 0) / 1000
  const longest = tasks.reduce((a, b) => (busy(b) > busy(a) ? b : a))
  const sums = new Map<string, number>()
  for (const each of own) {
    const isIn = each.pid === longest.pid && each.tid === longest.tid && each !== longest
    if (isIn && each.ts >= longest.ts && each.ts < longest.ts + (longest.dur ?? 0))
      sums.set(each.name, (sums.get(each.name) ?? 0) + busy(each))
  }
  const parts = [...sums].filter(([name]) => !/RunTask/.test(name)).sort(([, a], [, b]) => b - a)
  return {
    busy: busy(longest),
    wall: (longest.dur ?? 0) / 1000,
    parts: parts
      .slice(0, 5)
      .map(([name, ms]) => `${name} ${ms.toFixed(0)}`)
      .join(', '),
    total: tasks
      .filter(({ name }) => name === longest.name)
      .reduce((sum, each) => sum + busy(each), 0),
  }
}

async function traced(page: Page, act: () => Promise<void>): Promise<Longest> {
  const browser = page.context().browser()!
  await browser.startTracing(page, { categories: CATEGORIES })
  try {
    await act()
  } catch (error) {
    await browser.stopTracing()
    throw error
  }
  return longestOf(await browser.stopTracing())
}

/** Wait until all of a text is rendered, and scroll through it. */
async function settle(page: Page, size: number): Promise<void> {
  const frame = page.frames()[1]!
  await frame.waitForFunction(
    () =>
      document.querySelectorAll('.markdown .rich-text').length === 1 &&
      document.querySelector('.piece + .plain') === null,
    undefined,
    { timeout: 90_000, polling: 100 },
  )
  await page.waitForTimeout(300)
  const steps = Math.min(20, Math.ceil(size / 5_000))
  await frame.evaluate(async (steps) => {
    const scroller = document.querySelector('.scroller') as HTMLElement
    for (let step = 0; step <= steps; step++) {
      scroller.scrollTop = (scroller.scrollHeight * step) / steps
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30)))
    }
  }, steps)
}

async function opened(site: Site): Promise<Page> {
  const context = await site.browser.newContext({ viewport: { width: 1000, height: 720 } })
  const page = await context.newPage()
  await page.goto(site.url)
  await page.frameLocator('iframe').getByRole('textbox', { name: 'Message' }).waitFor()
  // Load the code for Markdown, math and highlighting first.
  await give(page, 'Warm **up**, $x$\n\n```js\nconst a = 1\n```')
  await page.waitForTimeout(500)
  return page
}

/** Show a text as a message of a stored thread. */
function give(page: Page, text: string): Promise<void> {
  return page.evaluate(async (text) => {
    const chat = document.querySelector('openai-chatkit') as Chat
    const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
    const content = [{ type: 'output_text', text, annotations: [] }]
    const data = [{ ...base, id: crypto.randomUUID(), type: 'assistant_message', content }]
    chat.setOptions({
      api: {
        url: '/chatkit',
        domainKey: 'local',
        fetch: async (_: string, init: RequestInit) => {
          const { type } = JSON.parse(String(init.body)) as { type: string }
          const items = { data, has_more: false }
          return Response.json(type === 'items.list' ? items : { ...base, id: 't', items })
        },
      },
    })
    await chat.setThreadId(crypto.randomUUID())
  }, text)
}

/** Stream a text in parts. */
function stream(page: Page, text: string): Promise<void> {
  return page.evaluate(async (text) => {
    const chat = document.querySelector('openai-chatkit') as Chat
    const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
    const encoder = new TextEncoder()
    const answer = (): Response =>
      new Response(
        new ReadableStream({
          async start(controller) {
            const send = (event: object): void =>
              controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`))
            send({ type: 'thread.created', thread: { ...base, id: 't', items: { data: [] } } })
            const said = { type: 'user_message', attachments: [], inference_options: {} }
            const content = [{ type: 'input_text', text: 'Go' }]
            send({ type: 'thread.item.done', item: { ...base, ...said, content, id: 'u' } })
            const item = { ...base, id: 'm', type: 'assistant_message', content: [] }
            send({ type: 'thread.item.added', item })
            const size = Math.ceil(text.length / 150)
            for (let at = 0; at < text.length; at += size) {
              const update = {
                type: 'assistant_message.content_part.text_delta',
                content_index: 0,
                delta: text.slice(at, at + size),
              }
              send({ type: 'thread.item.updated', item_id: 'm', update })
              await new Promise((resolve) => setTimeout(resolve, 20))
            }
            const whole = [{ type: 'output_text', text, annotations: [] }]
            send({ type: 'thread.item.done', item: { ...item, content: whole } })
            controller.close()
          },
        }),
        { headers: { 'Content-Type': 'text/event-stream' } },
      )
    chat.setOptions({ api: { url: '/chatkit', domainKey: 'local', fetch: async () => answer() } })
    await chat.setThreadId(null)
    await chat.sendUserMessage({ text: 'Go' })
  }, text)
}

const wanted = process.argv.slice(2)
const site = await open()
try {
  const page = await opened(site)
  for (const [name, text] of Object.entries(COSTLY)) {
    if (wanted.length > 0 && !wanted.some((each) => name.includes(each))) continue
    for (const [way, act] of [
      ['at once', give],
      ['streamed', stream],
    ] as const) {
      try {
        // Removing the previous text does not count.
        await give(page, 'Nothing')
        await page.waitForTimeout(300)
        const cost = await traced(page, async () => {
          await act(page, text)
          await settle(page, text.length)
        })
        console.log(
          `${name.padEnd(34)} ${way.padEnd(8)} ${cost.busy.toFixed(0).padStart(6)} ms (wall ${cost.wall.toFixed(0)}, all ${cost.total.toFixed(0)})${SHOWN ? `  ${cost.parts}` : ''}`,
        )
      } catch (error) {
        console.log(`${name.padEnd(34)} ${way.padEnd(8)} failed: ${String(error).split('\n')[0]}`)
      }
    }
  }
} finally {
  await site.close()
}
process.exit(0)
