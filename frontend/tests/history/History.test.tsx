// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import type { Chat } from '../../src/chat/chat'
import { History } from '../../src/history/History'
import type { ListedThread, Turn } from '../../src/protocol/live'
import type { ThreadMetadata } from '../../src/protocol/types'
import { Header } from '../../src/ui/Header'
import { render, type Server } from '../render'

const day = 24 * 3600 * 1000

function thread(id: string, title: string | null, age = 0): ThreadMetadata {
  return { id, title, created_at: new Date(Date.now() - age * day).toISOString() }
}

/** A server that stores threads and lists them in pages of two. */
function serverOf(threads: ThreadMetadata[]): Server {
  return (type, params) => {
    const known = threads.find((each) => each.id === params['thread_id'])
    if (type === 'threads.list') {
      const start = threads.findIndex((each) => each.id === params['after']) + 1
      const data = threads.slice(start, start + 2)
      return { data, has_more: start + 2 < threads.length, after: data.at(-1)?.id ?? null }
    }
    if (known === undefined) return 404
    if (type === 'threads.update') return Object.assign(known, { title: params['title'] })
    if (type === 'threads.delete') threads.splice(threads.indexOf(known), 1)
    return {}
  }
}

test('threads are listed by day, newest first', async () => {
  await render(<History />, serverOf([thread('a', 'Now'), thread('b', null, 1)]))
  await screen.findByRole('button', { name: 'Now' })
  const today = screen.getByRole('region', { name: 'today' })
  within(today).getByRole('button', { name: 'Now' })
  within(screen.getByRole('region', { name: 'yesterday' })).getByRole('button', {
    name: 'Untitled',
  })
})

test('a search finds threads on pages that were not loaded', async () => {
  const threads = ['One', 'Two', 'Three', 'Four', 'Fünf'].map((title) => thread(title, title))
  const { person } = await render(<History />, serverOf(threads))
  await screen.findByRole('button', { name: 'Two' })
  expect(screen.queryByRole('button', { name: 'Fünf' })).toBeNull()
  await person.type(screen.getByRole('searchbox'), 'FÜNF')
  await screen.findByRole('button', { name: 'Fünf' })
  expect(screen.queryByRole('button', { name: 'Two' })).toBeNull()
  await person.type(screen.getByRole('searchbox'), ' is not there')
  await screen.findByText('Nothing found.')
})

test('more threads are loaded on demand, each once', async () => {
  const threads = ['One', 'Two', 'Three'].map((title) => thread(title, title))
  const { person } = await render(<History />, serverOf(threads))
  await person.click(await screen.findByRole('button', { name: 'More' }))
  await screen.findByRole('button', { name: 'Three' })
  expect(screen.getAllByRole('listitem')).toHaveLength(3)
  expect(screen.queryByRole('button', { name: 'More' })).toBeNull()
})

test('a search ignores accents, case and width of letters', async () => {
  const threads = ['Élan vital', 'Straße', 'ＡＢＣ', 'Другое'].map((title) => thread(title, title))
  const { person } = await render(<History />, serverOf(threads))
  const search = screen.getByRole('searchbox')
  for (const [words, title] of [
    ['elan', 'Élan vital'],
    ['abc', 'ＡＢＣ'],
    ['ДРУГОЕ', 'Другое'],
  ] as const) {
    await person.clear(search)
    await person.type(search, words)
    await screen.findByRole('button', { name: title })
    expect(screen.getAllByRole('listitem')).toHaveLength(1)
  }
})

test('arrow keys move between the search and the chats', async () => {
  const { person } = await render(<History />, serverOf([thread('a', 'One'), thread('b', 'Two')]))
  await screen.findByRole('button', { name: 'Two' })
  const focused = (): string | null | undefined => document.activeElement?.textContent
  await person.keyboard('{ArrowDown}')
  expect(focused()).toBe('One')
  await person.keyboard('{ArrowDown}{ArrowDown}')
  expect(focused()).toBe('Two')
  await person.keyboard('{Tab}{ArrowUp}')
  expect(focused()).toBe('One')
  await person.keyboard('{ArrowUp}')
  expect(document.activeElement).toBe(screen.getByRole('searchbox'))
})

test('a list that cannot be loaded can be retried', async () => {
  let isWell = false
  const server = serverOf([thread('a', 'Now')])
  const { person } = await render(<History />, (...request) => (isWell ? server(...request) : 500))
  await screen.findByText('The chats could not be loaded.')
  isWell = true
  await person.click(screen.getByRole('button', { name: 'Try again' }))
  await screen.findByRole('button', { name: 'Now' })
  expect(screen.queryByRole('alert')).toBeNull()
})

test('Enter saves a title, and Escape discards it', async () => {
  const threads = [thread('a', 'Now')]
  const { person, chat } = await render(<History />, serverOf(threads))
  await person.click(await screen.findByRole('button', { name: 'Rename Now' }))
  await person.keyboard('Then{Escape}')
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Now' }))
  await person.click(screen.getByRole('button', { name: 'Rename Now' }))
  await person.keyboard('  Later {Enter}')
  await screen.findByRole('button', { name: 'Later' })
  await waitFor(() => expect(threads[0]?.title).toBe('Later'))
  expect(chat.state.get().view).toBe('thread')
})

test('the Enter with which Safari ends the input of a Japanese word saves no title', async () => {
  const { person } = await render(<History />, serverOf([thread('a', 'Now')]))
  await person.click(await screen.findByRole('button', { name: 'Rename Now' }))
  const field = screen.getByRole('textbox', { name: 'Title' })
  fireEvent.keyDown(field, { key: 'Enter', keyCode: 229 })
  expect(document.activeElement).toBe(field)
})

test('a chat that cannot be renamed gets its old title back', async () => {
  const threads = [thread('a', 'Now')]
  const { person } = await render(<History />, (type, params) =>
    type === 'threads.update' ? 500 : serverOf(threads)(type, params),
  )
  await person.click(await screen.findByRole('button', { name: 'Rename Now' }))
  await person.keyboard('Later{Enter}')
  await screen.findByText('The chat could not be renamed.')
  screen.getByRole('button', { name: 'Now' })
})

test('deleting needs confirmation', async () => {
  const threads = [thread('a', 'Now'), thread('b', 'Then')]
  const { person } = await render(<History />, serverOf(threads))
  await person.click(await screen.findByRole('button', { name: 'Delete Now' }))
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Keep' }))
  await person.keyboard('{Enter}')
  expect(threads).toHaveLength(2)
  await person.click(screen.getByRole('button', { name: 'Delete Now' }))
  await person.click(screen.getByRole('button', { name: 'Delete' }))
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Now' })).toBeNull())
  expect(threads.map((each) => each.id)).toEqual(['b'])
  expect(document.activeElement).toBe(screen.getByRole('searchbox'))
})

test('a new chat is listed first, and gets its title from the server', async () => {
  const { chat } = await render(<History />, serverOf([thread('a', 'Now', 1)]))
  await screen.findByRole('button', { name: 'Now' })
  const open = (title: string | null): void =>
    act(() => {
      const { thread: state } = chat.state.get()
      chat.state.set({ threadId: 'b', thread: { ...state, thread: thread('b', title) } })
    })
  open(null)
  screen.getByRole('button', { name: 'Untitled' })
  open('A trip')
  screen.getByRole('button', { name: 'A trip' })
  expect(screen.getAllByRole('listitem')).toHaveLength(2)
  expect(screen.queryByRole('button', { name: 'Untitled' })).toBeNull()
})

/** Show a thread as the open one, as its events do. */
function show(chat: Chat, shown: ThreadMetadata | null, turn: Turn | null): void {
  act(() => {
    const { thread: state } = chat.state.get()
    chat.state.set({ threadId: shown?.id ?? null, thread: { ...state, thread: shown, turn } })
  })
}

const running: Turn = { id: 't', state: 'running', ended_at: null }

test('a title that arrives while the list is loaded stays', async () => {
  const untitled = { ...thread('a', null), turn: running }
  let listed = (): void => {}
  const { chat } = await render(<History />, async () => {
    await new Promise<void>((resolve) => (listed = resolve))
    return { data: [untitled] }
  })
  listed()
  await screen.findByRole('button', { name: 'Untitled' })
  show(chat, untitled, running)
  show(chat, { ...untitled, title: 'A trip' }, running)
  await act(async () => listed())
  screen.getByRole('button', { name: 'A trip' })
})

test('the list shows how answers go on while no thread is open', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  const answered: ListedThread = { ...thread('a', null), turn: running }
  const { chat } = await render(<History />, () => ({ data: [answered] }))
  await screen.findByRole('button', { name: 'Untitled' })
  show(chat, answered, running)
  show(chat, null, null)
  Object.assign(answered, { title: 'A trip' })
  await act(() => vi.advanceTimersByTimeAsync(3000))
  await screen.findByRole('button', { name: /^A trip/ })
  screen.getByRole('img', { name: 'Working' })
  answered.turn = { ...running, state: 'completed', ended_at: new Date().toISOString() }
  await act(() => vi.advanceTimersByTimeAsync(3000))
  expect(screen.queryByRole('img', { name: 'Working' })).toBeNull()
  screen.getByRole('img', { name: 'New answer' })
  vi.useRealTimers()
})

test('changes made here stay when another chat changes', async () => {
  const threads = [thread('a', 'One'), thread('b', 'Two')]
  const { chat } = await render(<History />, serverOf(threads))
  await screen.findByRole('button', { name: 'One' })
  for (const each of [...threads]) show(chat, { ...each }, null)
  await act(() => chat.renameThread('a', 'First'))
  await act(() => chat.deleteThread('b'))
  show(chat, thread('c', 'Three'), null)
  screen.getByRole('button', { name: 'First' })
  screen.getByRole('button', { name: 'Three' })
  expect(screen.getAllByRole('listitem')).toHaveLength(2)
})

test('disabled actions are not offered', async () => {
  const history = { showRename: false, showDelete: false }
  await render(<History />, serverOf([thread('a', 'Now')]), { history })
  await screen.findByRole('button', { name: 'Now' })
  expect(screen.getAllByRole('button')).toHaveLength(1)
})

test('opening a thread closes the list, and announces it', async () => {
  const { chat, events, person } = await render(<History />, serverOf([thread('a', 'Now')]))
  await chat.showHistory()
  await person.click(await screen.findByRole('button', { name: 'Now' }))
  expect(chat.state.get()).toMatchObject({ threadId: 'a', view: 'thread' })
  expect(events.filter((name) => name !== 'chatkit.log').slice(0, 3)).toEqual([
    'chatkit.history.open',
    'chatkit.history.close',
    'chatkit.thread.change',
  ])
})

test('a server with search finds words within messages', async () => {
  const threads = [thread('a', 'One'), thread('b', 'Two')]
  const queries: unknown[] = []
  let isDown = false
  const server: Server = (type, params) => {
    if (type === 'threads.list') return { data: threads, has_more: false, can_search: true }
    if (type === 'threads.delete') return {}
    if (type !== 'threads.search') return 404
    if (isDown) return 500
    queries.push(params['query'])
    const snippet = [
      { text: 'It will ', is_match: false },
      { text: 'rain', is_match: true },
    ]
    const isFirst = params['after'] === null
    return {
      data: [{ thread: threads[isFirst ? 1 : 0], item_id: 'm', snippet }],
      has_more: isFirst,
      after: isFirst ? 'after:1' : null,
    }
  }
  const { person } = await render(<History />, server)
  await screen.findByRole('button', { name: 'One' })
  await person.type(screen.getByRole('searchbox'), ' rain ')
  await screen.findByRole('button', { name: /Two.*It will rain/ })
  expect(document.querySelector('mark')?.textContent).toBe('rain')
  expect(screen.queryByRole('button', { name: 'One' })).toBeNull()
  expect(queries).toEqual(['rain'])
  await person.click(screen.getByRole('button', { name: 'More' }))
  await screen.findByRole('button', { name: /^One/ })
  await person.click(screen.getByRole('button', { name: 'Delete Two' }))
  await person.click(screen.getByRole('button', { name: 'Delete' }))
  await waitFor(() => expect(screen.queryByRole('button', { name: /^Two/ })).toBeNull())

  await person.clear(screen.getByRole('searchbox'))
  await screen.findByRole('button', { name: 'One' })
  // If the search fails, titles are still found, and the search can be repeated.
  isDown = true
  await person.type(screen.getByRole('searchbox'), 'one')
  await screen.findByText('The chats could not be loaded.')
  await screen.findByRole('button', { name: 'One' })
  expect(screen.queryByText('Nothing found.')).toBeNull()
  isDown = false
  await person.click(screen.getByRole('button', { name: 'Try again' }))
  await waitFor(() => expect(queries).toEqual(['rain', 'rain', 'one']))
  await waitFor(() => expect(screen.queryByText('The chats could not be loaded.')).toBeNull())
})

test('a chat that is deleted elsewhere disappears from the search results', async () => {
  const data = [thread('a', 'One'), thread('b', 'Two')]
  const { chat, person } = await render(<History />, (type) =>
    type === 'threads.search'
      ? { data: data.map((each) => ({ thread: each, item_id: 'm', snippet: [] })) }
      : { data, has_more: false, can_search: true },
  )
  await person.type(await screen.findByRole('searchbox'), 'rain')
  await screen.findByRole('button', { name: 'Two' })
  act(() => chat.list.apply({ type: 'threads.deleted', thread_id: 'b' }))
  expect(screen.queryByRole('button', { name: 'Two' })).toBeNull()
  expect(screen.queryByRole('button', { name: 'One' })).not.toBeNull()
})

test('another server has other chats', async () => {
  const { setOptions } = await render(<History />, serverOf([thread('a', 'Here')]))
  await screen.findByRole('button', { name: 'Here' })
  const fetch = async () => Response.json({ data: [thread('b', 'There')], has_more: false })
  act(() => setOptions({ api: { url: '/another', domainKey: 'local', fetch } }))
  await screen.findByRole('button', { name: 'There' })
  expect(screen.queryByRole('button', { name: 'Here' })).toBeNull()
})

test('a page without a thread shows new chats when the user returns to it', async () => {
  const threads = [thread('a', 'One')]
  await render(<History />, serverOf(threads))
  await screen.findByRole('button', { name: 'One' })
  threads.unshift(thread('b', 'From a phone'))
  document.dispatchEvent(new Event('visibilitychange'))
  await screen.findByRole('button', { name: 'From a phone' })
})

test.each([
  ['shows new chats soon', true, true],
  ['is left alone on other servers', false, false],
])('without a thread, a list in view %s', async (_, isOwn, isShown) => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  const threads = [thread('a', 'One')]
  const asked: string[] = []
  await render(<History />, (type) => {
    asked.push(type)
    return { data: threads, has_more: false, ...(isOwn && { can_search: true }) }
  })
  await screen.findByRole('button', { name: 'One' })
  threads.unshift({ ...thread('b', 'From a phone'), turn: running } as ListedThread)
  await act(() => vi.advanceTimersByTimeAsync(30_000))
  expect(screen.queryByRole('button', { name: 'From a phone' }) !== null).toBe(isShown)
  expect(screen.queryByRole('img', { name: 'Working' }) !== null).toBe(isShown)
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
  asked.length = 0
  await act(() => vi.advanceTimersByTimeAsync(60_000))
  expect(asked).toEqual([])
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('a chat that is not found disappears from the list', async () => {
  const { chat, person } = await render(<History />, (type) =>
    type === 'threads.list'
      ? { data: [thread('a', 'One'), thread('b', 'Two')], has_more: false }
      : Response.json({ error: 'There is no such thread.' }, { status: 404 }),
  )
  await person.click(await screen.findByRole('button', { name: 'Two' }))
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Two' })).toBeNull())
  screen.getByRole('button', { name: 'One' })
  expect(chat.state.get().threadId).toBeNull()
})

test('the words of a search are still there when the list is opened again', async () => {
  const threads = [thread('a', 'One'), thread('b', 'Two')]
  const { person, again, chat } = await render(<History />, serverOf(threads))
  await person.type(await screen.findByRole('searchbox'), 'two')
  await person.click(await screen.findByRole('button', { name: 'Two' }))
  again(null)
  again(<History />)
  const search = screen.getByRole<HTMLInputElement>('searchbox')
  expect([search.value, document.activeElement]).toEqual(['two', search])
  await screen.findByRole('button', { name: 'Two' })
  expect(screen.queryByRole('button', { name: 'One' })).toBeNull()
  // New words replace the old ones.
  await person.keyboard('one')
  await screen.findByRole('button', { name: 'One' })
  act(() => chat.list.use('/another'))
  expect(screen.getByRole<HTMLInputElement>('searchbox').value).toBe('')
})

test('the header has the title of the list while the chat is loading', async () => {
  const list = serverOf([thread('a', 'About whales')])
  const server: Server = (type, params) =>
    type === 'threads.list' ? list(type, params) : new Promise(() => {})
  const { chat, person } = await render(
    <>
      <Header />
      <History />
    </>,
    server,
  )
  await person.click(await screen.findByRole('button', { name: 'About whales' }))
  await waitFor(() => expect(chat.state.get().isLoading).toBe(true))
  screen.getByRole('heading', { name: 'About whales' })
})
