// @vitest-environment jsdom
import { screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import { Header } from '../../src/ui/Header'
import { render } from '../render'

const noServer = (): number => 500
const buttons = (): (string | null)[] =>
  screen.queryAllByRole('button').map((button) => button.getAttribute('aria-label'))

test('without options, the header has a new chat and the list of chats', async () => {
  const { chat, events, person } = await render(<Header />, noServer)
  expect(buttons()).toEqual(['New chat', 'Chats'])
  expect(screen.getByRole('button', { name: 'New chat' })).toHaveProperty('disabled', true)
  await person.click(screen.getByRole('button', { name: 'Chats' }))
  expect(chat.state.get().view).toBe('history')
  screen.getByRole('heading', { name: 'Chats' })
  await person.click(screen.getByRole('button', { name: 'Back to the chat' }))
  expect(events).toEqual(['chatkit.history.open', 'chatkit.history.close'])
})

test("the app's buttons are at both ends and call the app", async () => {
  const left = vi.fn()
  const right = vi.fn()
  const { person } = await render(<Header />, noServer, {
    header: {
      leftAction: { icon: 'sidebar-left', onClick: left },
      rightAction: { icon: 'settings-cog', onClick: right },
    },
    history: { enabled: false },
  })
  expect(buttons()).toEqual(['sidebar left', 'New chat', 'settings cog'])
  await person.click(screen.getByRole('button', { name: 'sidebar left' }))
  await person.click(screen.getByRole('button', { name: 'settings cog' }))
  expect([left.mock.calls.length, right.mock.calls.length]).toEqual([1, 1])
})

test.each([
  [{ text: 'Help' }, 'Help'],
  [{ enabled: false, text: 'Help' }, null],
  [undefined, 'About whales'],
])('the title with %j is %j', async (title, expected) => {
  const header = title === undefined ? {} : { title }
  const { chat } = await render(
    <Header />,
    (type) =>
      type === 'items.list'
        ? { data: [], has_more: false }
        : { id: 'a', title: 'About whales', created_at: '2026-01-01T00:00:00' },
    { header },
  )
  await chat.setThreadId('a')
  if (expected !== null) await screen.findByRole('heading', { name: expected })
  expect(screen.queryAllByRole('heading')).toHaveLength(expected === null ? 0 : 1)
})
