// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { textOf } from '../../src/chat/content'
import { LiveServer, type Page } from './liveServer'
import { fakeLocks } from './locks'
import { eventually, following, isResponding, page } from './openedPages'

const outgoingOf = ({ chat }: Page): unknown => chat.state.get().draft.state.get().outgoing

/** Return how often a text is drawn: in the thread and as the message being sent. */
function drawn({ chat }: Page, text: string): number {
  const { thread, sending } = chat.state.get()
  const messages = thread.items.filter((item) => item.type === 'user_message')
  const contents = [...messages, ...(sending === null ? [] : [sending])]
  return contents.filter((each) => textOf(each.content) === text).length
}

/** Return a server with a thread, to which a page sent a message without getting a response. */
async function serverAfter(text: string, isReceived: boolean): Promise<LiveServer> {
  const server = new LiveServer()
  const closed = await following(server)
  server.isSwallowing = !isReceived
  server.gate = server.followGate = new Promise(() => {})
  server.cut()
  void closed.chat.sendUserMessage({ text })
  await expect.poll(() => server.asked, eventually).toContain('threads.add_user_message')
  server.isSwallowing = false
  server.gate = server.followGate = null
  return server
}

const messages = ({ state }: LiveServer): number =>
  state.items.filter(({ type }) => type === 'user_message').length

test.each(['running', 'completed'])(
  'after a reload, an unconfirmed message that arrived is shown once, with its turn %s',
  async (state) => {
    const server = await serverAfter('Once', true)
    if (state === 'completed') server.finish()
    const after = await page(server)
    let most = 0
    after.chat.state.subscribe(() => (most = Math.max(most, drawn(after, 'Once'))))
    await after.chat.setThreadId('t1')
    await expect.poll(() => outgoingOf(after), eventually).toBeNull()
    if (state === 'running') server.finish()
    await expect.poll(() => isResponding(after), eventually).toBe(false)
    expect(most).toBe(1)
    expect(messages(server)).toBe(2)
  },
)

test('after a reload, a message that never arrived is sent, even with the same text', async () => {
  const server = await serverAfter('Before', false)
  const after = await page(server)
  await after.chat.setThreadId('t1')
  const answer = server.hold('gate')
  await expect.poll(() => drawn(after, 'Before'), eventually).toBe(2)
  await expect.poll(() => messages(server), eventually).toBe(2)
  answer()
  await expect.poll(() => outgoingOf(after), eventually).toBeNull()
  server.finish()
  await expect.poll(() => isResponding(after), eventually).toBe(false)
  expect(drawn(after, 'Before')).toBe(2)
})

test("after a reload during another device's turn, an unconfirmed message waits for its end", async () => {
  const server = await serverAfter('Before', false)
  fakeLocks()
  server.begin('From afar')
  const other = await page(server, {}, 'other')
  await other.chat.setThreadId('t1')
  await expect.poll(() => isResponding(other), eventually).toBe(true)
  const asked = server.asked.length
  const after = await page(server)
  await after.chat.setThreadId('t1')
  await expect
    .poll(() => after.chat.state.get().draft.state.get().waiting.length, eventually)
    .toBe(1)
  expect(server.asked.slice(asked)).not.toContain('threads.add_user_message')
  expect(messages(server)).toBe(2)
  server.finish()
  await expect.poll(() => messages(server), eventually).toBe(3)
  server.finish()
  await expect.poll(() => isResponding(after), eventually).toBe(false)
})
