// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest'

import { textContent, textOf } from '../../src/chat/content'
import { render, type Rendered, type Server } from '../render'

const tag = { type: 'input_tag' as const, id: 'kari', text: 'Kari', data: { team: 'sea' } }
const file = { type: 'file' as const, id: 'f1', name: 'log.txt', mime_type: 'text/plain' }
const thread: Server = (type, params) =>
  type === 'items.list'
    ? { data: [], has_more: false }
    : { id: params['thread_id'], created_at: '2026-01-01T00:00:00' }

beforeEach(() => sessionStorage.clear())

const written = ({ chat }: Rendered): string => textOf(chat.state.get().draft.state.get().content)
const files = ({ chat }: Rendered): string[] =>
  chat.state
    .get()
    .draft.uploads.finished()
    .map(({ name }) => name)

test('each thread has its own draft', async () => {
  const page = await render(null, thread)
  await page.chat.setComposerValue({ text: 'To anybody', attachments: [file] })
  await page.chat.setThreadId('a')
  expect([written(page), files(page)]).toEqual(['', []])
  await page.chat.setComposerValue({ content: [{ type: 'input_text', text: 'Ask ' }, tag] })
  await page.chat.setThreadId(null)
  expect([written(page), files(page)]).toEqual(['To anybody', ['log.txt']])
  await page.chat.setThreadId('a')
  expect(written(page)).toBe('Ask @Kari')
})

test('a draft survives a reload', async () => {
  const before = await render(null, thread)
  await before.chat.setComposerValue({ content: [tag], reply: 'A quote', attachments: [file] })
  window.dispatchEvent(new Event('pagehide'))
  const page = await render(null, thread)
  const { content, reply } = page.chat.state.get().draft.state.get()
  expect([content, reply, files(page)]).toEqual([[tag], 'A quote', ['log.txt']])
})

test.each(['{', '"x"', '{"content":[null],"reply":null,"attachments":[]}', '{"content":{}}'])(
  'an invalid draft, such as %s, is ignored',
  async (kept) => {
    const before = await render(null, thread)
    await before.chat.setComposerValue({ text: 'A draft' })
    window.dispatchEvent(new Event('pagehide'))
    const [name] = Object.keys(sessionStorage)
    sessionStorage.setItem(String(name), kept)
    expect(written(await render(null, thread))).toBe('')
  },
)

test('a rejected message returns to the draft, before the text written since', async () => {
  const page = await render(null, (type) => (type.startsWith('threads.') ? 503 : {}))
  await page.chat.setComposerValue({ content: [tag], reply: 'A quote', attachments: [file] })
  const sent = page.chat.submit()
  expect([written(page), files(page)]).toEqual(['', []])
  page.chat.setDraft({ content: textContent('And more') })
  await sent
  expect([written(page), files(page)]).toEqual(['@Kari\nAnd more', ['log.txt']])
  const { draft, thread: shown } = page.chat.state.get()
  expect(draft.state.get().reply).toBe('A quote')
  expect(shown.error).toMatchObject({ allowRetry: false })
})

test('a sent message has no surrounding space, and keeps its tags and quote', async () => {
  const server = vi.fn<Server>(() => 503)
  const { chat } = await render(null, server)
  await chat.setComposerValue({
    content: [{ type: 'input_text', text: ' \n Ask ' }, tag, { type: 'input_text', text: ' \n' }],
    reply: 'A quote',
  })
  await chat.submit()
  expect(server).toHaveBeenCalledWith('threads.create', {
    input: {
      content: [{ type: 'input_text', text: 'Ask ' }, tag],
      attachments: [],
      quoted_text: 'A quote',
      inference_options: {},
    },
  })
})

test('an open thread keeps the model of its last message until another is chosen', async () => {
  const sent: unknown[] = []
  const asked = (model: string) => ({
    type: 'user_message',
    id: model,
    content: [],
    attachments: [],
    inference_options: { model },
  })
  const { chat } = await render(
    null,
    (type, params) => {
      if (type === 'items.list') {
        return { data: params['thread_id'] === 'a' ? [asked('b'), asked('a')] : [asked('gone')] }
      }
      if (type !== 'threads.add_user_message') return thread(type, params)
      const { input } = params as { input: { inference_options: { model: string } } }
      sent.push(input.inference_options.model)
      return []
    },
    { composer: { models: ['a', 'b', 'c'].map((id) => ({ id, label: id })) } },
  )
  const say = () => chat.sendUserMessage({ text: 'Hello' })
  await chat.setThreadId('a')
  await say()
  await chat.setComposerValue({ selectedModelId: 'c' })
  await say()
  await chat.setThreadId('other')
  await say()
  // This thread's model is gone, so the last choice applies.
  expect(sent).toEqual(['b', 'c', 'c'])
})

test('a disabled model cannot be chosen', async () => {
  const { chat } = await render(null, thread, {
    composer: {
      models: [
        { id: 'old', label: 'Old', disabled: true, default: true },
        { id: 'small', label: 'Small' },
      ],
    },
  })
  expect(chat.state.get().modelId).toBe('small')
  await chat.setComposerValue({ selectedModelId: 'old' })
  expect(chat.state.get().modelId).toBe('small')
})
