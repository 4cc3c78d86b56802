// @vitest-environment jsdom
import { beforeEach, expect, test } from 'vitest'

import { nextModel } from '../../src/chat/models'
import { question } from '../items/items'
import { render, type Rendered, type Server } from '../render'

const options = {
  composer: {
    tools: [{ id: 'web', label: 'Search the web', icon: 'search' as const }],
    models: [
      { id: 'small', label: 'Small', default: true },
      { id: 'large', label: 'Large' },
    ],
  },
}
const server: Server = (type, params) =>
  type === 'items.list'
    ? { data: [{ ...question('Hello'), inference_options: { model: 'small' } }], has_more: false }
    : { id: params['thread_id'], created_at: '2026-01-01T00:00:00' }

const chosen = ({ chat }: Rendered): (string | null)[] => {
  const state = chat.state.get()
  return [state.toolId, nextModel(state)]
}

beforeEach(() => sessionStorage.clear())

test('the chosen tool and model survive a reload', async () => {
  const before = await render(null, server, options)
  before.chat.chooseTool('web')
  before.chat.chooseModel('large')
  const page = await render(null, server, options)
  expect(chosen(page)).toEqual(['web', 'large'])
  expect(page.events).toContain('chatkit.tool.change')
  page.chat.chooseTool(null)
  expect(chosen(await render(null, server, options))).toEqual([null, 'large'])
})

test('a model chosen in a thread is still chosen there after a reload, but not in others', async () => {
  const inThread = { ...options, initialThread: 'a' }
  const before = await render(null, server, inThread)
  await before.chat.fetchUpdates()
  before.chat.chooseModel('large')
  const page = await render(null, server, inThread)
  await page.chat.fetchUpdates()
  expect(chosen(page)).toEqual([null, 'large'])
  const other = await render(null, server, { ...options, initialThread: 'b' })
  await other.chat.fetchUpdates()
  expect(chosen(other)).toEqual([null, 'small'])
})

test('choices that are no longer offered, or that another script stored, are ignored', async () => {
  const before = await render(null, server, options)
  before.chat.chooseTool('web')
  before.chat.chooseModel('large')
  expect(chosen(await render(null, server))).toEqual([null, null])
  const [name] = Object.keys(sessionStorage)
  for (const stored of ['{', 'null', '{"toolId":1,"modelId":[]}']) {
    sessionStorage.setItem(String(name), stored)
    expect(chosen(await render(null, server, options))).toEqual([null, 'small'])
  }
})
