/** Measures the web UI in Chromium: `make bench`. */

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import type { Page } from 'playwright-core'

import { open, type Site } from '../tests/e2e/browser'

const ui = fileURLToPath(new URL('../../src/agent_framework_chatkit/frontend/ui', import.meta.url))
const TOKENS = 20_000
const PER_SECOND = 1_000
const ITEMS = 5_000
const SWITCHES = 100

declare global {
  interface Window {
    longest: number
    took: number
  }
}

type Chat = HTMLElement & {
  setOptions: (options: object) => void
  setThreadId: (threadId: string | null) => Promise<void>
  sendUserMessage: (params: object) => Promise<void>
}

function row(what: string, value: string): void {
  console.log(`| ${what.padEnd(58)} | ${value.padStart(18)} |`)
}

function size(pattern: RegExp): number {
  const files = readdirSync(ui).filter((name) => pattern.test(name))
  return files.reduce((sum, name) => sum + gzipSync(readFileSync(`${ui}/${name}`)).length, 0)
}

async function page(site: Site): Promise<Page> {
  const context = await site.browser.newContext()
  const opened = await context.newPage()
  await opened.goto(site.url)
  await opened.frameLocator('iframe').getByRole('textbox', { name: 'Message' }).waitFor()
  return opened
}

async function ready(site: Site): Promise<number> {
  const context = await site.browser.newContext()
  const opened = await context.newPage()
  await opened.addInitScript(() => {
    addEventListener('chatkit.ready', () => (window.took = performance.now()), { capture: true })
  })
  await opened.goto(site.url)
  await opened.waitForFunction(() => window.took > 0)
  const took = await opened.evaluate(
    () =>
      window.took -
      (performance.getEntriesByType('resource').find((each) => each.name.endsWith('chatkit.js'))
        ?.startTime ?? 0),
  )
  await context.close()
  return took
}

/** Stream a reply of many tokens, and return the longest task and the growth of what one costs. */
async function stream(site: Site): Promise<{ longest: number; growth: number }> {
  const opened = await page(site)
  const result = await opened.evaluate(
    async ({ tokens, perSecond }) => {
      const chat = document.querySelector('openai-chatkit') as Chat
      const encoder = new TextEncoder()
      const event = (value: object): Uint8Array =>
        encoder.encode(`data: ${JSON.stringify(value)}\n\n`)
      const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
      const item = { ...base, id: 'm', type: 'assistant_message', content: [] as unknown[] }
      const words = ['some ', '**bold** ', 'text, ', '`code` ', 'and more. ', 'new\n\n']
      const answer = (): Response =>
        new Response(
          new ReadableStream({
            async start(controller) {
              const thread = { id: 't', created_at: base.created_at, items: { data: [] } }
              controller.enqueue(event({ type: 'thread.created', thread }))
              controller.enqueue(event({ type: 'thread.item.added', item }))
              const started = performance.now()
              let sent = 0
              while (sent < tokens) {
                await new Promise((resolve) => setTimeout(resolve, 30))
                const due = Math.min(tokens, ((performance.now() - started) / 1000) * perSecond)
                let delta = ''
                for (; sent < due; sent++) delta += words[sent % words.length]
                const update = {
                  type: 'assistant_message.content_part.text_delta',
                  content_index: 0,
                  delta,
                }
                controller.enqueue(event({ type: 'thread.item.updated', item_id: 'm', update }))
              }
              controller.close()
            },
          }),
          { headers: { 'Content-Type': 'text/event-stream' } },
        )
      chat.setOptions({
        api: { url: '/chatkit', domainKey: 'local', fetch: async () => answer() },
        thread: { autoScroll: true },
      })
      const tasks: { start: number; duration: number }[] = []
      const frame = chat.shadowRoot?.querySelector('iframe')?.contentWindow as Window & typeof globalThis
      const observer = new frame.PerformanceObserver((list) => {
        for (const each of list.getEntries()) {
          tasks.push({ start: each.startTime, duration: each.duration })
        }
      })
      observer.observe({ type: 'longtask' })
      // What one frame costs, sampled by how late a timer is.
      const lag: number[] = []
      let last = performance.now()
      const timer = setInterval(() => {
        const now = performance.now()
        lag.push(Math.max(0, now - last - 10))
        last = now
      }, 10)
      await chat.sendUserMessage({ text: 'Go' })
      clearInterval(timer)
      observer.disconnect()
      const mean = (values: number[]): number =>
        values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length)
      const quarter = Math.floor(lag.length / 4)
      return {
        longest: Math.max(0, ...tasks.map((each) => each.duration)),
        growth: mean(lag.slice(-quarter)) / Math.max(0.01, mean(lag.slice(quarter, 2 * quarter))),
      }
    },
    { tokens: TOKENS, perSecond: PER_SECOND },
  )
  await opened.context().close()
  return result
}

/** Open a thread of many items, then switch many times, and return milliseconds and bytes. */
async function threads(site: Site): Promise<{ opened: number; kept: number }> {
  const opened = await page(site)
  const session = await opened.context().newCDPSession(opened)
  await opened.evaluate((items) => {
    const chat = document.querySelector('openai-chatkit') as Chat
    const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
    const data = Array.from({ length: items }, (_, index) =>
      index % 2 === 1
        ? {
            ...base,
            id: `u${index}`,
            type: 'user_message',
            content: [{ type: 'input_text', text: `Question ${index}` }],
            attachments: [],
            inference_options: {},
          }
        : {
            ...base,
            id: `a${index}`,
            type: 'assistant_message',
            content: [{ type: 'output_text', text: `**Answer** ${index}, with \`code\`.` }],
          },
    )
    chat.setOptions({
      api: {
        url: '/chatkit',
        domainKey: 'local',
        fetch: async (_: string, init: RequestInit) => {
          const { type } = JSON.parse(String(init.body)) as { type: string }
          const page = { data, has_more: false }
          return Response.json(
            type === 'items.list' ? page : { id: 't', created_at: base.created_at, items: page },
          )
        },
      },
    })
  }, ITEMS)
  const took = await opened.evaluate(async () => {
    const chat = document.querySelector('openai-chatkit') as Chat
    const started = performance.now()
    await chat.setThreadId('a thread')
    const frame = chat.shadowRoot?.querySelector('iframe')?.contentWindow
    await new Promise((resolve) => frame?.requestAnimationFrame(() => setTimeout(resolve)))
    return performance.now() - started
  })
  const used = async (): Promise<number> => {
    // Until all is drawn that is drawn at leisure, memory grows without being kept.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await session.send('HeapProfiler.collectGarbage')
    return opened.evaluate(
      () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
    )
  }
  const change = (times: number): Promise<void> =>
    opened.evaluate(async (switches) => {
      const chat = document.querySelector('openai-chatkit') as Chat
      for (let index = 0; index < switches; index++) await chat.setThreadId(`thread ${index % 2}`)
    }, times)
  // What the first threads bring once, such as code that runs hot, is kept by no switch.
  await change(2)
  const before = await used()
  await change(SWITCHES)
  const after = await used()
  await opened.context().close()
  return { opened: took, kept: (after - before) / 1024 / 1024 }
}

const site = await open()
try {
  row('gzipped JavaScript until one can write', `${(size(/^(app|chatkit)-.*\.js$/) / 1024).toFixed(0)} KB`)
  row('gzipped JavaScript in all', `${(size(/\.js$/) / 1024).toFixed(0)} KB`)
  const times: number[] = []
  for (let round = 0; round < 7; round++) times.push(await ready(site))
  times.sort((a, b) => a - b)
  row('from the script to ready, median of 7', `${times[3]?.toFixed(0)} ms`)
  const { longest, growth } = await stream(site)
  row(`longest task, ${TOKENS} tokens at ${PER_SECOND} a second`, `${longest.toFixed(0)} ms`)
  row('lag in the last quarter, times that in the second', growth.toFixed(2))
  const { opened, kept } = await threads(site)
  row(`a thread of ${ITEMS} items, opened`, `${opened.toFixed(0)} ms`)
  row(`memory kept by ${SWITCHES} switches of threads`, `${kept.toFixed(1)} MB`)
} finally {
  await site.close()
}
process.exit(0)
