// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { textOf } from '../../src/chat/content'
import type { UserMessageItem } from '../../src/protocol/types'
import { LiveServer, type Page } from './liveServer'
import { eventually, following, isResponding, page, shows } from './openedPages'

test('a turn that is stopped without a network stops when the network is back', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  void ann.chat.sendUserMessage({ text: 'Go' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  server.open()
  await shows(ann, ['Before', 'Go', ''])
  server.isDown = true
  server.cut()
  ann.chat.stop()
  await expect.poll(() => ann.chat.state.get().isConnected, eventually).toBe(false)
  server.isDown = false
  await expect.poll(() => server.state.turn?.state, eventually).toBe('stopped')
  await expect.poll(() => isResponding(ann), eventually).toBe(false)
})

test.each([
  ['the login expired', (server: LiveServer) => (server.isExpired = true), 'Log in first.'],
  ['of an error', (server: LiveServer) => (server.isFailing = true), 'error (500)'],
])('a stop that the server refuses because %s says so, and works again', async (_, fail, said) => {
  const server = new LiveServer()
  const ann = await following(server)
  void ann.chat.sendUserMessage({ text: 'Go' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  server.open()
  await shows(ann, ['Before', 'Go', ''])
  fail(server)
  ann.chat.stop()
  expect(ann.chat.state.get().isStopping).toBe(true)
  const error = (): unknown => ann.chat.state.get().thread.error?.message
  await expect.poll(error, eventually).toContain(said)
  expect(ann.chat.state.get()).toMatchObject({ isResponding: true, isStopping: false })
  Object.assign(server, { isExpired: false, isFailing: false })
  ann.chat.stop()
  await expect.poll(() => isResponding(ann), eventually).toBe(false)
  expect(ann.chat.state.get()).toMatchObject({ isStopping: false, thread: { error: null } })
})

test("stopping a message that another device's turn prevents does not stop that turn", async () => {
  const server = new LiveServer()
  const ann = await following(server)
  server.gate = new Promise(() => {})
  void ann.chat.sendUserMessage({ text: 'Go' })
  server.begin('From afar')
  await expect.poll(() => server.asked.at(-1), eventually).toBe('threads.add_user_message')
  ann.chat.stop()
  server.gate = null
  await shows(ann, ['Before', 'From afar'])
  await expect.poll(() => ann.chat.state.get().isStopping, eventually).toBe(false)
  expect(isResponding(ann)).toBe(true)
  expect(server.asked).not.toContain('threads.stop')
})

const first = ({ chat }: Page) => chat.state.get().thread.items[0] as UserMessageItem
const requests: Record<string, (ann: Page) => Promise<unknown>> = {
  message: ({ chat }) => chat.sendUserMessage({ text: 'Go' }),
  retry: (ann) => ann.chat.retry(first(ann)),
  edit: (ann) => ann.chat.edit(first(ann), first(ann).content),
}

test.each(Object.keys(requests))(
  'a stop before the server replies to the request reaches it: %s',
  async (kind) => {
    const server = new LiveServer()
    const ann = await following(server)
    server.gate = new Promise(() => {})
    void requests[kind]?.(ann)
    await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
    server.gate = null
    ann.chat.stop()
    await expect.poll(() => server.state.turn?.state, eventually).toBe('stopped')
    await expect.poll(() => isResponding(ann), eventually).toBe(false)
  },
)

test('a new chat is stopped although its request had no reply yet, and keeps the message', async () => {
  const server = new LiveServer()
  const ann = await page(server)
  const answer = server.hold('gate')
  const sent = ann.chat.sendUserMessage({ text: 'Go' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  ann.chat.stop()
  answer()
  await expect.poll(() => server.state.turn?.state, eventually).toBe('stopped')
  expect(await sent).toBeNull()
  expect(ann.texts()).toEqual(['Go', '<end_of_turn>'])
  expect(isResponding(ann)).toBe(false)
})

test('a new chat whose request gets no reply can be stopped twice', async () => {
  const server = new LiveServer()
  const ann = await page(server)
  server.isSwallowing = true
  const sent = ann.chat.sendUserMessage({ text: 'Go' })
  await expect.poll(() => server.asked, eventually).toEqual(['threads.create'])
  ann.chat.stop()
  expect(ann.chat.state.get().isStopping).toBe(true)
  ann.chat.stop()
  await sent
  expect(textOf(ann.chat.state.get().draft.state.get().content)).toBe('Go')
  expect(ann.chat.state.get().isStopping).toBe(false)
})

test.each([
  ['stops it again', ({ chat }: Page) => chat.stop()],
  ['opens another chat', ({ chat }: Page) => chat.setThreadId('t2')],
])('a new chat is stopped although the user %s before the reply', async (_, leave) => {
  const server = new LiveServer()
  const ann = await page(server)
  const answer = server.hold('gate')
  const sent = ann.chat.sendUserMessage({ text: 'Go' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  ann.chat.stop()
  void leave(ann)
  await sent
  expect(isResponding(ann)).toBe(false)
  answer()
  await expect.poll(() => server.state.turn?.state, eventually).toBe('stopped')
})
