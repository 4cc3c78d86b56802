// @vitest-environment jsdom
import { expect, test } from 'vitest'

import type { ThreadItem } from '../../src/protocol/types'
import { LiveServer } from './liveServer'
import { eventually, following, isResponding, page } from './openedPages'

/** The message that this server makes of an action. */
const action = 'threads.custom_action'

test('actions during a response are sent after it, and after the message that waits', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  void ann.chat.sendUserMessage({ text: 'First' })
  await ann.chat.setComposerValue({ text: 'Second' })
  await ann.chat.submit()
  void ann.chat.sendCustomAction({ type: 'one' })
  void ann.chat.sendCustomAction({ type: 'two' })
  for (const texts of [['Second'], ['Second', action], ['Second', action, action]]) {
    await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
    server.finish()
    await expect.poll(ann.texts, eventually).toEqual(['Before', 'First', ...texts])
  }
  server.finish()
})

test('a second message in the same moment is refused, not dropped', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  const first = ann.chat.sendUserMessage({ text: 'One' })
  const second = await ann.chat.sendUserMessage({ text: 'Two' })
  expect(second?.message).toMatch(/^A response is in progress/)
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  server.finish()
  expect(await first).toBeNull()
})

test('the output of a client tool is not sent after a message that declined the call', async () => {
  const server = new LiveServer()
  let finish = (): void => {}
  const ran = new Promise<void>((resolve) => (finish = resolve))
  const ann = await page(server, { onClientTool: () => ran.then(() => ({})) })
  void ann.chat.sendUserMessage({ text: 'Locate me' })
  await expect.poll(() => server.follows, eventually).toBe(1)
  const call = { id: 'c1', type: 'client_tool_call', status: 'pending', name: 'locate' }
  server.emit({ type: 'thread.item.done', item: call as unknown as ThreadItem })
  server.finish('waiting')
  await expect.poll(() => server.claims.length, eventually).toBe(1)
  void ann.chat.sendUserMessage({ text: 'Never mind' })
  await expect.poll(() => server.state.turn?.state, eventually).toBe('running')
  finish()
  server.finish()
  await expect.poll(() => isResponding(ann), eventually).toBe(false)
  await ann.chat.fetchUpdates()
  expect(server.asked).not.toContain('threads.add_client_tool_output')
})
