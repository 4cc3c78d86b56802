// @vitest-environment jsdom
import { act, screen, waitFor, within } from '@testing-library/react'
import { beforeAll, expect, test, vi } from 'vitest'

import type { Chat } from '../../src/chat/chat'
import { Thread } from '../../src/thread/Thread'
import { emptyThread, type ThreadState } from '../../src/protocol/thread'
import type { ThreadItem } from '../../src/protocol/types'
import { answer, item, question, workflow } from '../items/items'
import { render, type Server } from '../render'

beforeAll(() => {
  // jsdom lacks these, because it has no layout.
  class SizeObserver {
    observe(): void {}
    disconnect(): void {}
  }
  class SightObserver extends SizeObserver {
    constructor(private readonly tell: (entries: { isIntersecting: boolean }[]) => void) {
      super()
    }
    override observe(): void {
      this.tell([{ isIntersecting: true }])
    }
  }
  vi.stubGlobal('ResizeObserver', SizeObserver)
  vi.stubGlobal('IntersectionObserver', SightObserver)
  Element.prototype.scrollTo = () => {}
})

function show(chat: Chat, thread: Partial<ThreadState>, isResponding = false): void {
  act(() => {
    chat.state.set({ threadId: 't', thread: { ...emptyThread, ...thread }, isResponding })
  })
}

async function thread(
  items: ThreadItem[],
  rest: Partial<ThreadState> = {},
  server: Server = () => 404,
) {
  const rendered = await render(<Thread />, server)
  show(rendered.chat, { items, ...rest })
  return rendered
}

test('hidden and unknown items are skipped', async () => {
  const warn = vi.spyOn(console, 'error')
  const unknown = { ...answer('x'), type: 'hologram' } as unknown as ThreadItem
  await thread([
    question('Hello'),
    item('hidden_context_item', { content: 'secret' }),
    item('sdk_hidden_context', { content: 'secret' }),
    unknown,
    item('end_of_turn', {}),
  ])
  expect(screen.getAllByRole('article')).toHaveLength(1)
  expect(document.body.textContent).not.toContain('secret')
  expect(warn).not.toHaveBeenCalled()
})

test('an item that cannot be drawn does not affect the others', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const broken = { ...workflow({}), workflow: null } as unknown as ThreadItem
  await thread([question('Hello'), broken])
  screen.getByText('Hello')
  screen.getByText('This part cannot be shown.')
})

test('an answer has its actions once, at its end', async () => {
  const { chat } = await thread([])
  const items = [question('Hello'), answer('One'), workflow({}), answer('Two')]
  const copies = (): number => screen.queryAllByRole('button', { name: 'Copy' }).length
  show(chat, { items }, true)
  expect(copies()).toBe(1)
  show(chat, { items })
  expect(copies()).toBe(2)
  const last = screen.getAllByRole('article').at(-1) as HTMLElement
  within(last).getByText('Two')
  within(last).getByRole('button', { name: 'Copy' })
})

test('an answer can be retried once its question is loaded', async () => {
  const { chat, person } = await render(<Thread />, () => 404, {
    threadItemActions: { retry: true },
  })
  const asked = question('Hello')
  const said = answer('Hi')
  show(chat, { items: [said] })
  expect(screen.queryByRole('button', { name: 'Get another answer' })).toBeNull()
  show(chat, { items: [asked, said] })
  const retry = vi.spyOn(chat, 'retry').mockResolvedValue()
  await person.click(screen.getByRole('button', { name: 'Get another answer' }))
  expect(retry).toHaveBeenCalledWith(asked)
})

test('the end of a long thread is drawn first, and the rest soon', async () => {
  const all = Array.from({ length: 250 }, (_, index) => answer(`Answer ${index}.`))
  const { chat } = await thread(all)
  screen.getByText('Answer 249.')
  expect(screen.queryByText('Answer 0.')).toBeNull()
  show(chat, { items: [...all, answer('New.')] })
  screen.getByText('New.')
  await screen.findByText('Answer 0.', {}, { timeout: 25_000 })
  expect(screen.getAllByRole('article')).toHaveLength(251)
})

test('progress is shown with its icon until the next item', async () => {
  const { chat } = await thread([])
  show(chat, { items: [question('Hello')] }, true)
  screen.getByText('Thinking…')
  show(chat, { items: [question('Hello')], progress: { text: 'Asking', icon: 'compass' } }, true)
  screen.getByText('Asking')
  expect(screen.queryByText('Thinking…')).toBeNull()
  await waitFor(() => expect(document.querySelector('.activity svg')).not.toBeNull(), {
    timeout: 10_000,
  })
  const written = answer('Hi')
  show(chat, { items: [question('Hello'), written], open: new Map([[written.id, null]]) }, true)
  expect(screen.queryByText('Thinking…')).toBeNull()
}, 20_000)

test('a pause in the middle of a turn shows an indicator', async () => {
  const { chat } = await thread([])
  show(chat, { items: [question('Hello'), answer('Hi')] }, true)
  expect(screen.queryByText('Thinking…')).toBeNull()
  await screen.findByText('Thinking…')
})

test('a client tool is shown while it runs', async () => {
  const call = item('client_tool_call', {
    status: 'pending',
    call_id: 'c',
    name: 'get_location',
    arguments: {},
  })
  const { chat } = await thread([question('Where?'), call])
  screen.getByText('Using get location')
  show(chat, { items: [question('Where?'), { ...call, status: 'completed' }] })
  screen.getByText('Used get location')
})

test('an error says what is wrong, and the turn can be retried', async () => {
  const asked = question('Hello')
  const error = { code: 'custom', message: 'Too busy.', allowRetry: true }
  const { chat, person } = await thread([asked], { error })
  within(screen.getByRole('alert')).getByText('Too busy.')
  const again = vi.spyOn(chat, 'tryAgain').mockResolvedValue()
  await person.click(screen.getByRole('button', { name: 'Try again' }))
  expect(again).toHaveBeenCalledWith(asked)
  show(chat, { items: [asked], error: { ...error, message: null, allowRetry: false } })
  within(screen.getByRole('alert')).getByText('Something went wrong.')
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
})

test('an error does not remove an open question', async () => {
  const inputs = [{ type: 'freeform' as const, id: 'a', question: 'Why?' }]
  const asking = item('structured_input', { status: 'pending', inputs })
  const error = { code: 'connection', message: 'Lost.', allowRetry: true }
  await thread([question('Hello'), asking], { error })
  screen.getByText('Lost.')
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
  screen.getByRole('button', { name: 'Answer' })
})

test('notices have a title, and links in their text', async () => {
  const notice = {
    id: 1,
    level: 'warning' as const,
    title: 'Almost full',
    message: 'See [here](https://a.test).',
  }
  await thread([question('Hello')], { notices: [notice] })
  screen.getByText('Almost full')
  const link = await screen.findByRole('link', { name: 'here' }, { timeout: 10_000 })
  expect(link.getAttribute('href')).toBe('https://a.test/')
}, 20_000)

test('an answer is announced once and whole, and a question and a file when they arrive', async () => {
  const asked = question('Hello')
  const { chat } = await thread([answer('Old')])
  const announcements = (): string[] =>
    within(screen.getByRole('log'))
      .queryAllByText(/./)
      .map((each) => each.textContent ?? '')
  const before = announcements().length
  const write = (text: string): ThreadItem => ({ ...answer(text), id: 'a' })
  const open = new Map([['a', null]])
  show(chat, { items: [asked] }, true)
  show(chat, { items: [asked, write('It **ra')], open }, true)
  show(chat, { items: [asked, write('It **rains**.')], open }, true)
  expect(announcements().slice(before)).toEqual([])
  const card = item('widget', { widget: { type: 'Card' }, copy_text: 'May I pay?' })
  const inputs = [{ type: 'freeform' as const, id: 'x', question: 'Why?' }]
  const asking = item('structured_input', { status: 'pending', inputs })
  const file = workflow({ tasks: [{ type: 'file', title: 'rain.pdf' }] })
  show(chat, { items: [asked, write('It **rains**.'), card, asking, file] }, true)
  show(chat, { items: [asked, write('It **rains**.'), card, asking, file] })
  await waitFor(() =>
    expect(announcements().slice(-4)).toEqual(['It rains.', 'May I pay?', 'Why?', 'rain.pdf']),
  )
  expect(announcements().join()).not.toContain('Old')
})

test('only the user retries older items that cannot be loaded', async () => {
  const asked = vi.fn(() => 500)
  const { chat, person } = await thread([answer('New')], {}, asked)
  act(() => chat.state.set({ older: 'x' }))
  await person.click(await screen.findByRole('button', { name: 'Try again' }))
  await screen.findByRole('button', { name: 'Try again' })
  expect(asked).toHaveBeenCalledTimes(2)
})

test('each thread loads its own older items', async () => {
  let isDown = true
  const { chat } = await thread([], {}, (type, params) => {
    if (type === 'threads.get_by_id') return { id: params['thread_id'], created_at: '2026-01-01' }
    if (params['after'] === undefined) return { data: [answer('b')], has_more: true, after: 'b' }
    return isDown ? 500 : { data: [answer('older')], has_more: false }
  })
  await act(() => chat.setThreadId('one'))
  await screen.findByRole('button', { name: 'Try again' })
  isDown = false
  await act(() => chat.setThreadId('two'))
  await waitFor(() => expect(chat.state.get().thread.items).toHaveLength(2))
})

test('older items that are slow in one thread do not delay those of another', async () => {
  let arrive = (): void => {}
  const late = new Promise<void>((resolve) => (arrive = resolve))
  const { chat } = await thread([], {}, async (type, params) => {
    if (type === 'threads.get_by_id') return { id: params['thread_id'], created_at: '2026-01-01' }
    if (params['after'] === undefined) return { data: [answer('b')], has_more: true, after: 'b' }
    if (params['thread_id'] === 'one') await late
    return { data: [answer('older')], has_more: false }
  })
  await act(() => chat.setThreadId('one'))
  await waitFor(() => expect(chat.state.get().isLoadingOlder).toBe(true))
  await act(() => chat.setThreadId('two'))
  await waitFor(() => expect(chat.state.get().thread.items).toHaveLength(2))
  await act(async () => arrive())
  expect(chat.state.get().thread.items).toHaveLength(2)
})
