// @vitest-environment jsdom
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'

import type { AnyEvent } from '../../src/protocol/live'
import type { Thread, ThreadItem } from '../../src/protocol/types'
import { LiveServer, open, type Page } from './liveServer'
import { fakeLocks } from './locks'
import { eventually, following, isResponding, page, shows } from './openedPages'

afterEach(() => vi.unstubAllGlobals())

test('a new thread is followed from its first events', async () => {
  const server = new LiveServer()
  const ann = await page(server)
  const sent = ann.chat.sendUserMessage({ text: 'Hello' })
  await expect.poll(() => server.follows, eventually).toBe(1)
  server.open()
  server.say('Good ')
  server.say('day.')
  await shows(ann, ['Hello', 'Good day.'])
  expect(isResponding(ann)).toBe(true)
  server.finish()
  expect(await sent).toBeNull()
  expect(isResponding(ann)).toBe(false)
  expect(ann.events.filter((name) => name.startsWith('chatkit.response'))).toEqual([
    'chatkit.response.start',
    'chatkit.response.end',
  ])
  expect(server.asked).toEqual(['threads.create', 'threads.follow'])
})

test("another device's turn is shown, and can be stopped", async () => {
  const server = new LiveServer()
  server.begin('From afar')
  server.open()
  server.say('So far')
  const ann = await page(server)
  await ann.chat.setThreadId('t1')
  await shows(ann, ['From afar', 'So far'])
  await expect.poll(() => isResponding(ann), eventually).toBe(true)
  ann.chat.stop()
  await shows(ann, ['From afar', 'So far', '<end_of_turn>'])
  expect(isResponding(ann)).toBe(false)
})

test('whatever is lost in transit, each text is shown once and whole', async () => {
  const step = fc.oneof(
    fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }).map((delta) => ({ delta })),
    fc.constant('cut' as const),
    fc.constant('forget' as const),
    fc.constant('pause' as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const server = new LiveServer()
      const ann = await open(server)
      const sent = ann.chat.sendUserMessage({ text: 'Go' })
      await expect.poll(() => server.log.length, eventually).toBeGreaterThan(0)
      server.open()
      let text = ''
      for (const each of steps) {
        if (each === 'cut') server.cut()
        // Events that are too old are no longer in the log.
        else if (each === 'forget') server.log = []
        else if (each === 'pause') await new Promise((resolve) => setTimeout(resolve, 5))
        else {
          server.say(each.delta)
          text += each.delta
        }
      }
      server.finish()
      await sent
      await shows(ann, ['Go', text])
      await ann.chat.setThreadId(null)
    }),
    { numRuns: 12 },
  )
}, 120_000)

test('a message whose response is lost is sent again, and accepted once', async () => {
  const server = new LiveServer()
  server.begin('Before')
  server.finish()
  const ann = await page(server)
  await ann.chat.setThreadId('t1')
  server.isDeaf = true
  const sent = ann.chat.sendUserMessage({ text: 'Once' })
  await shows(ann, ['Before', 'Once'])
  server.isDeaf = false
  server.finish()
  expect(await sent).toBeNull()
  expect(ann.texts()).toEqual(['Before', 'Once'])
  expect(ann.chat.state.get().thread.error).toBeNull()
})

test("events on the thread's stream before the response belong to the request", async () => {
  const server = new LiveServer()
  const ann = await following(server)
  const answer = server.hold('gate')
  const sent = ann.chat.sendUserMessage({ text: 'Celebrate' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  server.emit({ type: 'client_effect', name: 'confetti', data: {} } as AnyEvent)
  server.finish()
  // The thread's stream is faster.
  await new Promise((resolve) => setTimeout(resolve, 50))
  answer()
  expect(await sent).toBeNull()
  expect(ann.events).toContain('chatkit.effect')
  await shows(ann, ['Before', 'Celebrate'])
})

test('one-time events are shown once, even when following starts', async () => {
  const server = new LiveServer()
  const follow = server.hold('followGate')
  const arrive = server.hold('late')
  const ann = await page(server)
  const sent = ann.chat.sendUserMessage({ text: 'Celebrate' })
  await expect.poll(() => server.asked, eventually).toContain('threads.follow')
  const tell = (message: string): void =>
    server.emit(
      { type: 'notice', level: 'info', message } as AnyEvent,
      { type: 'client_effect', name: message, data: {} } as AnyEvent,
    )
  tell('before')
  server.open()
  follow()
  await shows(ann, ['Celebrate', ''])
  tell('after')
  arrive()
  const notices = (): string[] => ann.chat.state.get().thread.notices.map(({ message }) => message)
  await expect.poll(() => notices().sort(), eventually).toEqual(['after', 'before'])
  expect(ann.events.filter((name) => name === 'chatkit.effect')).toHaveLength(2)
  server.finish()
  expect(await sent).toBeNull()
})

test.each(['before', 'after'])(
  "the current activity is shown if it arrives %s the other stream's items",
  async (order) => {
    const server = new LiveServer()
    const follow = server.hold('followGate')
    const arrive = server.hold('late')
    const ann = await page(server)
    const progress = (): string | undefined => ann.chat.state.get().thread.progress?.text
    const show = (text: string): void => server.emit({ type: 'progress_update', text } as AnyEvent)
    const sent = ann.chat.sendUserMessage({ text: 'Go' })
    await expect.poll(() => server.asked, eventually).toContain('threads.follow')
    show('Outdated')
    server.open()
    show('Current')
    if (order === 'before') {
      arrive()
      await expect.poll(progress, eventually).toBe('Current')
      follow()
      await shows(ann, ['Go', ''])
    } else {
      follow()
      await shows(ann, ['Go', ''])
      arrive()
    }
    await expect.poll(progress, eventually).toBe('Current')
    // The next item ends it, on whichever stream it arrives.
    server.finish()
    expect(await sent).toBeNull()
    expect(progress()).toBeUndefined()
  },
)

test('a message is stored until the server has it', async () => {
  const server = new LiveServer()
  const before = await following(server)
  server.isDown = true
  void before.chat.sendUserMessage({ text: 'Keep me' })
  // The page closes at this moment, and opens again.
  server.isDown = false
  const after = await page(server)
  await after.chat.setThreadId('t1')
  await shows(after, ['Before', 'Keep me'])
  server.finish()
  await expect.poll(() => isResponding(after), eventually).toBe(false)
  await expect.poll(() => after.chat.state.get().draft.state.get().outgoing, eventually).toBeNull()
  expect(server.state.items.filter(({ type }) => type === 'user_message')).toHaveLength(2)
})

test.each([
  ['completed', true],
  ['waiting', false],
  ['stopped', false],
  ['failed', false],
])('after a turn that is %s, a message that waits goes: %s', async (state, goes) => {
  const server = new LiveServer()
  const ann = await page(server)
  void ann.chat.sendUserMessage({ text: 'First' })
  await expect.poll(() => server.follows, eventually).toBe(1)
  await ann.chat.setComposerValue({ text: 'Second' })
  await ann.chat.submit()
  const { draft } = ann.chat.state.get()
  expect(draft.state.get().waiting).toHaveLength(1)
  server.finish(state)
  await expect.poll(() => isResponding(ann), eventually).toBe(goes)
  if (!goes) void ann.chat.sendWaiting(draft.state.get().waiting[0] as never)
  await expect.poll(ann.texts, eventually).toContain('Second')
  expect(draft.state.get().waiting).toHaveLength(0)
  server.finish()
})

test('a rejected retry leaves the thread unchanged', async () => {
  const server = new LiveServer()
  server.begin('Ask')
  server.open()
  server.say('Told.')
  server.finish()
  const ann = await page(server)
  await ann.chat.setThreadId('t1')
  await shows(ann, ['Ask', 'Told.'])
  const question = ann.chat.state.get().thread.items[0]
  // Another tab starts at the same moment, and this one does not know it yet.
  server.cut()
  server.isDown = true
  server.begin('Elsewhere')
  server.isDown = false
  await ann.chat.retry(question as never)
  await expect.poll(ann.texts, eventually).toEqual(['Ask', 'Told.', 'Elsewhere'])
  server.finish()
})

const pendingCall = {
  id: 'c1',
  thread_id: 't1',
  created_at: '',
  type: 'client_tool_call',
  status: 'pending',
  call_id: 'x',
  name: 'locate',
  arguments: {},
} as unknown as ThreadItem

test('one page with tools runs a client tool', async () => {
  const server = new LiveServer()
  const ran: string[] = []
  const tool = (name: string) => ({
    onClientTool: async () => {
      ran.push(name)
      return { done: true }
    },
  })
  const all = [
    await page(server, tool('a'), 'a'),
    await page(server, tool('b'), 'b'),
    await page(server, {}, 'c'),
  ]
  server.begin('Locate me')
  for (const each of all) await each.chat.setThreadId('t1')
  await expect.poll(() => server.follows, eventually).toBe(3)
  server.emit({ type: 'thread.item.done', item: pendingCall })
  server.finish('waiting')
  await expect.poll(() => server.asked, eventually).toContain('threads.add_client_tool_output')
  expect(ran).toHaveLength(1)
  expect(server.claims).toHaveLength(2)
  server.finish()
})

test('a locked thread runs no client tool', async () => {
  const server = new LiveServer()
  const ran: string[] = []
  const tool = {
    onClientTool: async ({ name }: { name: string }) => {
      ran.push(name)
      return {}
    },
  }
  const ann = await page(server, tool, 'a')
  server.begin('Locate me')
  await ann.chat.setThreadId('t1')
  await expect.poll(() => server.follows, eventually).toBe(1)
  const locked = { id: 't1', created_at: '', status: { type: 'locked' }, items: { data: [] } }
  server.emit({ type: 'thread.updated', thread: locked as unknown as Thread })
  server.emit({ type: 'thread.item.done', item: pendingCall })
  server.finish('waiting')
  const { state } = ann.chat
  await expect
    .poll(() => state.get().thread.items.some(({ id }) => id === 'c1'), eventually)
    .toBe(true)
  await expect.poll(() => state.get().isResponding, eventually).toBe(false)
  expect(server.claims).toEqual([])
  expect(ran).toEqual([])
})

test('tabs of a browser share a stream, and the next tab continues it', async () => {
  fakeLocks()
  const server = new LiveServer()
  server.begin('Together')
  server.open()
  server.say('One ')
  const ann = await page(server, {}, 'a')
  await ann.chat.setThreadId('t1')
  await shows(ann, ['Together', 'One '])
  const tab = await page(server, {}, 'b')
  await tab.chat.setThreadId('t1')
  await shows(tab, ['Together', 'One '])
  server.say('two ')
  await shows(tab, ['Together', 'One two '])
  expect(server.follows).toBe(1)
  await ann.chat.setThreadId(null)
  server.say('three')
  await shows(tab, ['Together', 'One two three'])
  expect(server.follows).toBe(1)
  server.finish()
  await expect.poll(() => isResponding(tab), eventually).toBe(false)
  await expect.poll(tab.texts, eventually).toEqual(['Together', 'One two three'])
})

test('a browser has at most three streams, one of them where the user needs it', async () => {
  fakeLocks()
  const servers = Array.from({ length: 5 }, (_, index) => new LiveServer(`t${index}`))
  const all: Page[] = []
  for (const server of servers) {
    server.begin('Hello')
    server.finish()
    const each = await page(server, {}, server.threadId)
    all.push(each)
    await each.chat.setThreadId(server.threadId)
    await shows(each, ['Hello'])
  }
  const streams = (): number => servers.reduce((sum, server) => sum + server.follows, 0)
  await expect.poll(streams, eventually).toBe(3)
  await expect.poll(() => servers[4]?.follows, eventually).toBe(1)
  // Writing in a chat without a stream gets it one.
  const [first] = all
  const server = servers[0] as LiveServer
  void first?.chat.sendUserMessage({ text: 'Again' })
  await expect.poll(() => first?.texts(), eventually).toEqual(['Hello', 'Again'])
  await expect.poll(() => server.follows, eventually).toBe(1)
  expect(streams()).toBeLessThanOrEqual(3)
  server.finish()
})
