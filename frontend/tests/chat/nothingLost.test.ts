// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'

import { textContent, textOf } from '../../src/chat/content'
import type { UserMessageItem } from '../../src/protocol/types'
import { LiveServer, type Page } from './liveServer'
import { eventually, following, isResponding, page } from './openedPages'

afterEach(() => void vi.useRealTimers())

const written = ({ chat }: Page): string => textOf(chat.state.get().draft.state.get().content)

/** Begin a response, and queue a message behind it. */
async function queue(ann: Page, text: string): Promise<void> {
  void ann.chat.sendUserMessage({ text: 'First' })
  await expect.poll(() => isResponding(ann), eventually).toBe(true)
  await ann.chat.setComposerValue({ text })
  await ann.chat.submit()
}

test('a message of a new chat that did not arrive is in the draft when one returns', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  await ann.chat.setThreadId(null)
  server.isDown = true
  await ann.chat.setComposerValue({ text: 'Precious' })
  void ann.chat.submit()
  await expect.poll(() => written(ann), eventually).toBe('')
  server.isDown = false
  await ann.chat.setThreadId('t1')
  await ann.chat.setThreadId(null)
  expect(written(ann)).toBe('Precious')
})

test('what was written in a thread that is deleted elsewhere stays', async () => {
  const server = new LiveServer()
  const ann = await page(server)
  await ann.chat.setComposerValue({ text: 'To anybody' })
  server.begin('Before')
  server.finish()
  await ann.chat.setThreadId('t1')
  await expect.poll(() => server.follows, eventually).toBe(1)
  await queue(ann, 'It waits')
  await ann.chat.setComposerValue({ text: 'Half a mess' })
  server.emit({ type: 'thread.deleted', thread_id: 't1' })
  await expect.poll(() => ann.chat.state.get().threadId, eventually).toBeNull()
  expect(written(ann)).toBe('To anybody\nIt waits\nHalf a mess')
  expect(ann.chat.state.get().draft.state.get().returned).toBeNull()
})

/** Edit the thread's first message, and wait until the request ends. */
async function edit(ann: Page, text: string): Promise<void> {
  const message = ann.chat.state.get().thread.items[0] as UserMessageItem
  ann.chat.startEditing(message)
  await ann.chat.edit(message, [{ type: 'input_text', text }])
}

test.each([
  ['cannot be sent', (server: LiveServer) => (server.isFailing = true)],
  ['is refused, because another device was faster', (server: LiveServer) => server.begin('Mine')],
])('an edited message that %s stays in its editor', async (_, happen) => {
  const server = new LiveServer()
  const ann = await following(server)
  happen(server)
  await edit(ann, 'Better')
  const state = ann.chat.state.get()
  expect(state.draft.state.get().entered).toEqual({ 'msg-1': { edit: textContent('Better') } })
  expect(state.thread.error?.allowRetry ?? false).toBe(false)
})

test('a message that comes back has its tool again', async () => {
  const server = new LiveServer()
  server.begin('Before')
  server.finish()
  const tools = [{ id: 'search', label: 'Search', icon: 'search' as const }]
  const ann = await page(server, { composer: { tools } })
  await ann.chat.setThreadId('t1')
  const tool = (): string | null => ann.chat.state.get().toolId
  await ann.chat.setComposerValue({ text: 'Later', selectedToolId: 'search' })
  server.isFailing = true
  await ann.chat.submit()
  expect([written(ann), tool()]).toEqual(['Later', 'search'])
  server.isFailing = false
  void ann.chat.sendUserMessage({ text: 'First', toolChoice: { id: 'other' } })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  await ann.chat.submit()
  expect([written(ann), tool()]).toEqual(['', null])
  ann.chat.editWaiting(ann.chat.state.get().draft.state.get().waiting[0]!)
  expect([written(ann), tool()]).toEqual(['Later', 'search'])
  server.finish()
})

test('a message is sent again until a server that restarts is back', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  vi.useFakeTimers()
  server.isDown = true
  server.cut()
  void ann.chat.sendUserMessage({ text: 'Patience' })
  await vi.advanceTimersByTimeAsync(10_000)
  server.isDown = false
  await vi.advanceTimersByTimeAsync(10_000)
  expect(ann.texts()).toEqual(['Before', 'Patience'])
  server.finish()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(isResponding(ann)).toBe(false)
})

test('the first message of a chat stays with the server that it was sent to', async () => {
  const server = new LiveServer()
  const answer = server.hold('gate')
  const ann = await page(server)
  void ann.chat.sendUserMessage({ text: 'To one' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  ann.setOptions({ api: { url: '/another', domainKey: 'local', fetch: new LiveServer().fetch } })
  answer()
  server.finish()
  await expect.poll(() => isResponding(ann), eventually).toBe(false)
  expect(ann.chat.state.get()).toMatchObject({ threadId: null, sending: null })
  expect(ann.texts()).toEqual([])
})
