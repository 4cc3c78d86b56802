// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'

import { LiveServer } from './liveServer'
import { eventually, following } from './openedPages'

afterEach(() => void vi.useRealTimers())

test('a message after a new login shows what was missed, and follows the thread again', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  const problem = (): string | null => ann.chat.state.get().loadError
  server.isExpired = true
  server.cut()
  await expect.poll(problem, eventually).toBe('Log in first.')
  server.isExpired = false
  server.begin('From afar')
  server.finish()
  const sent = ann.chat.sendUserMessage({ text: 'Go' })
  await expect.poll(() => server.follows, eventually).toBe(1)
  server.finish()
  expect(await sent).toBeNull()
  await expect.poll(ann.texts, eventually).toEqual(['Before', 'From afar', 'Go'])
  expect(problem()).toBeNull()
  expect(server.follows).toBe(1)
})

test('a message that is refused because the login expired returns at once', async () => {
  const server = new LiveServer()
  const ann = await following(server)
  server.isExpired = true
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const failure = await ann.chat.sendUserMessage({ text: 'Go' })
  expect(failure?.message).toBe('Log in first.')
  const { draft, isResponding } = ann.chat.state.get()
  expect(draft.state.get().content.map(({ text }) => text)).toEqual(['Go'])
  expect(isResponding).toBe(false)
})
