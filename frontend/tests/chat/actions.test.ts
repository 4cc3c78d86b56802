// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { LiveServer } from './liveServer'
import { eventually, following } from './openedPages'

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
