/** Measures the web UI in Chromium: `make bench`. */

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import type { Page } from 'playwright-core'
import { rolldown } from 'rolldown'

import { open, type Site } from '../tests/e2e/browser'

const ui = fileURLToPath(new URL('../../src/agent_framework_chatkit/frontend/ui', import.meta.url))
const PACE: Pace = { tokens: 20_000, perSecond: 1_000 }
const DELTAS: Pace = { tokens: 10_000, perSecond: 1_000 }
const ITEMS = 5_000
const SWITCHES = 100

declare global {
  interface Window {
    took: number
    /** Adds to the text that `react-markdown` renders. */
    append: (delta: string) => void
    /** Responds to a message with events; `base` holds the fields of every item. */
    answer: (say: (send: (event: object) => void, base: object) => Promise<void>) => Response
    /** Passes on the words of a reply at a given pace. */
    dictate: (pace: Pace, take: (delta: string) => void) => Promise<void>
    /** Runs a function, and returns what it costs the window's main thread. */
    measure: (realm: Window & typeof globalThis, act: () => Promise<void>) => Promise<Cost>
  }
}

interface Pace {
  tokens: number
  perSecond: number
}

interface Cost {
  /** The longest task, in milliseconds; 0 if none is over 50. */
  longest: number
  /** The total delay of timers in each quarter of the time, in milliseconds. */
  late: number[]
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

/** Define in a page the functions that measure both renderers. */
function tools(): void {
  window.dictate = async ({ tokens, perSecond }, take) => {
    const words = ['some ', '**bold** ', 'text, ', '`code` ', 'and more. ', 'new\n\n']
    const started = performance.now()
    let sent = 0
    while (sent < tokens) {
      await new Promise((resolve) => setTimeout(resolve, 30))
      const due = Math.min(tokens, ((performance.now() - started) / 1000) * perSecond)
      let delta = ''
      for (; sent < due; sent++) delta += words[sent % words.length]
      take(delta)
    }
  }
  window.measure = async (realm, act) => {
    let longest = 0
    const observer = new realm.PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration)
    })
    observer.observe({ type: 'longtask' })
    const lags: number[] = []
    let last = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      lags.push(Math.max(0, now - last - 10))
      last = now
    }, 10)
    await act()
    clearInterval(timer)
    observer.disconnect()
    const size = Math.ceil(lags.length / 4)
    const sum = (values: number[]): number => values.reduce((all, each) => all + each, 0)
    return { longest, late: [0, 1, 2, 3].map((q) => sum(lags.slice(q * size, (q + 1) * size))) }
  }
}

interface Streamed {
  /** The item that grows. */
  item: object
  /** The update that carries each delta. */
  update: object
}

const MESSAGE: Streamed = {
  item: { type: 'assistant_message', content: [] },
  update: { type: 'assistant_message.content_part.text_delta', content_index: 0 },
}
const TEXT = { type: 'Markdown', id: 'text', value: '', streaming: true }
const WIDGET: Streamed = {
  item: { type: 'widget', widget: { type: 'Card', children: [TEXT] } },
  update: { type: 'widget.streaming_text.value_delta', component_id: 'text', done: false },
}

/** Define in a page a function that responds to a chat in place of a server. */
function answers(): void {
  const encoder = new TextEncoder()
  const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
  window.answer = (say) =>
    new Response(
      new ReadableStream({
        async start(controller) {
          const send = (event: object): void =>
            controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`))
          const thread = { id: 't', created_at: base.created_at, items: { data: [] } }
          send({ type: 'thread.created', thread })
          const content = [{ type: 'input_text', text: 'Go' }]
          const said = { type: 'user_message', content, attachments: [], inference_options: {} }
          send({ type: 'thread.item.done', item: { ...base, ...said, id: crypto.randomUUID() } })
          await say(send, base)
          controller.close()
        },
      }),
      { headers: { 'Content-Type': 'text/event-stream' } },
    )
}

/** Stream a reply of many tokens into the chat. */
async function stream(site: Site, streamed: Streamed, pace: Pace): Promise<Cost> {
  const opened = await page(site)
  await opened.evaluate(tools)
  await opened.evaluate(answers)
  const cost = await opened.evaluate(
    async ({ streamed, pace }) => {
      const chat = document.querySelector('openai-chatkit') as Chat
      const answer = (): Response =>
        window.answer(async (send, base) => {
          send({ type: 'thread.item.added', item: { ...base, id: 'm', ...streamed.item } })
          await window.dictate(pace, (delta) => {
            const update = { ...streamed.update, delta }
            send({ type: 'thread.item.updated', item_id: 'm', update })
          })
        })
      chat.setOptions({
        api: { url: '/chatkit', domainKey: 'local', fetch: async () => answer() },
        thread: { autoScroll: true },
      })
      const frame = chat.shadowRoot?.querySelector('iframe')?.contentWindow
      return window.measure(frame as Window & typeof globalThis, () =>
        chat.sendUserMessage({ text: 'Go' }),
      )
    },
    { streamed, pace },
  )
  await opened.context().close()
  return cost
}

const LARGE_WIDGETS: Record<string, object> = {
  'a list of 1,000 rows': {
    type: 'ListView',
    children: Array.from({ length: 1_000 }, (_, index) => ({
      type: 'ListViewItem',
      children: [
        { type: 'Text', value: `Row ${index}` },
        { type: 'Badge', label: 'New' },
      ],
    })),
  },
  'a chart of 10,000 points': {
    type: 'Card',
    children: [
      {
        type: 'Chart',
        xAxis: 'x',
        data: Array.from({ length: 10_000 }, (_, x) => ({ x, y: Math.sin(x / 300) * 100 })),
        series: [{ type: 'line', dataKey: 'y', label: 'y' }],
      },
    ],
  },
  'a form of 100 fields': {
    type: 'Card',
    asForm: true,
    children: Array.from({ length: 100 }, (_, index) => ({
      type: 'Input',
      name: `field${index}`,
      placeholder: `Field ${index}`,
    })),
  },
}

/** Show a large widget and scroll through it, after the code for its components is loaded. */
async function show(site: Site, large: object): Promise<Cost> {
  const opened = await page(site)
  await opened.evaluate(tools)
  await opened.evaluate(answers)
  const cost = await opened.evaluate(async (large) => {
    const chat = document.querySelector('openai-chatkit') as Chat
    const series = [{ type: 'line', dataKey: 'y', label: 'y' }]
    const chart = { type: 'Chart', xAxis: 'x', data: [{ x: 1, y: 1 }], series }
    let widget: object = { type: 'Card', children: [chart, { type: 'Input', name: 'field' }] }
    const answer = (): Response =>
      window.answer(async (send, base) => {
        const id = crypto.randomUUID()
        send({ type: 'thread.item.done', item: { ...base, id, type: 'widget', widget } })
      })
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local', fetch: async () => answer() },
      thread: { autoScroll: true },
    })
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    await chat.sendUserMessage({ text: 'Go' })
    await wait(1_500)
    widget = large
    const frame = chat.shadowRoot?.querySelector('iframe')?.contentWindow as typeof window
    return window.measure(frame as Window & typeof globalThis, async () => {
      await chat.sendUserMessage({ text: 'Go' })
      await wait(3_000)
      const scroller = frame.document.querySelector('.scroller')
      for (let step = 0; step < 100; step++) {
        scroller?.scrollBy(0, -300)
        await new Promise((resolve) => frame.requestAnimationFrame(resolve))
      }
      await wait(500)
    })
  }, large)
  await opened.context().close()
  return cost
}

/** Stream the same reply into `react-markdown`. */
async function streamIntoPeer(site: Site): Promise<Cost> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('reactMarkdown.tsx', import.meta.url)),
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  })
  const { output } = await bundle.generate({ format: 'iife' })
  const context = await site.browser.newContext()
  const opened = await context.newPage()
  await opened.goto('about:blank')
  await opened.addScriptTag({ content: output[0].code })
  await opened.evaluate(tools)
  const cost = await opened.evaluate(
    (pace) => window.measure(window, () => window.dictate(pace, window.append)),
    PACE,
  )
  await context.close()
  return cost
}

function longestRow(name: string, { longest }: Cost): void {
  row(`${name}: longest task`, longest === 0 ? 'under 50 ms' : `${longest.toFixed(0)} ms`)
}

function rowsOf(name: string, cost: Cost, { tokens }: Pace): void {
  longestRow(name, cost)
  const perToken = cost.late.map((each) => ((each * 1000) / (tokens / 4)).toFixed(0))
  row(`${name}: busy µs a token, in each quarter`, perToken.join(' '))
}

/** Open a long thread, then switch threads; return the milliseconds and the megabytes kept. */
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
    // Deferred rendering uses memory that it does not keep: wait until it is done.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await session.send('HeapProfiler.collectGarbage')
    return opened.evaluate(
      () =>
        (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
    )
  }
  const change = (times: number): Promise<void> =>
    opened.evaluate(async (switches) => {
      const chat = document.querySelector('openai-chatkit') as Chat
      for (let index = 0; index < switches; index++) await chat.setThreadId(`thread ${index % 2}`)
    }, times)
  // Warm up, so that one-time costs such as compiled code do not count.
  await change(2)
  const before = await used()
  await change(SWITCHES)
  const after = await used()
  await opened.context().close()
  return { opened: took, kept: (after - before) / 1024 / 1024 }
}

const site = await open()
try {
  row(
    'gzipped JavaScript until the user can type',
    `${(size(/^(app|chatkit|rolldown-runtime)-.*\.js$/) / 1024).toFixed(0)} KB`,
  )
  row('gzipped JavaScript in all', `${(size(/\.js$/) / 1024).toFixed(0)} KB`)
  const times: number[] = []
  for (let round = 0; round < 7; round++) times.push(await ready(site))
  times.sort((a, b) => a - b)
  row('from the script to ready, median of 7', `${times[3]?.toFixed(0)} ms`)
  rowsOf('20,000 tokens at 1,000 a second', await stream(site, MESSAGE, PACE), PACE)
  rowsOf('the same in react-markdown', await streamIntoPeer(site), PACE)
  rowsOf('10,000 tokens into a widget', await stream(site, WIDGET, DELTAS), DELTAS)
  for (const [name, widget] of Object.entries(LARGE_WIDGETS))
    longestRow(name, await show(site, widget))
  const { opened, kept } = await threads(site)
  row(`a thread of ${ITEMS} items, opened`, `${opened.toFixed(0)} ms`)
  row(`memory kept by ${SWITCHES} switches of threads`, `${kept.toFixed(1)} MB`)
} finally {
  await site.close()
}
process.exit(0)
