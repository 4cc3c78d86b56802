// @vitest-environment jsdom
import { act, cleanup, screen, waitFor } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { announced } from '../../src/chat/announce'
import { AnswerActions } from '../../src/items/AnswerActions'
import { emptyThread } from '../../src/protocol/thread'
import { render, type Server } from '../render'
import { answer, question } from './items'

const said = (): string => announced.get().last.at(-1)?.text ?? ''
const asked = question('Why?')
const answers = [answer('Because.'), answer('And so on.')] as const
const items = [asked, ...answers, question('And?'), answer('Yes.')]

async function draw(server: Server = () => ({})) {
  const rendered = await render(null, server, {
    threadItemActions: { feedback: true, retry: true },
  })
  act(() => rendered.chat.state.set({ threadId: 't', thread: { ...emptyThread, items } }))
  rendered.again(<AnswerActions endId={answers[1].id} question={asked} />)
  return rendered
}

beforeEach(() => localStorage.clear())
afterEach(() => vi.restoreAllMocks())

test('an answer is copied whole, and this is announced', async () => {
  const { person } = await draw()
  await person.click(screen.getByRole('button', { name: 'Copy' }))
  screen.getByRole('button', { name: 'Copied' })
  expect(await navigator.clipboard.readText()).toBe('Because.\n\nAnd so on.')
  expect(said()).toBe('Copied')
})

test('a failed copy is announced', async () => {
  const { person } = await draw()
  vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('No'))
  await person.click(screen.getByRole('button', { name: 'Copy' }))
  await screen.findByRole('button', { name: 'That did not work.' })
  expect(said()).toBe('That did not work.')
  expect(document.querySelector('textarea')).toBeNull()
})

test('feedback covers all messages of the answer, and thanks the user', async () => {
  const sent: unknown[] = []
  const { person } = await draw((type, params) => {
    sent.push([type, params])
    return {}
  })
  await person.click(screen.getByRole('button', { name: 'Good answer' }))
  screen.getByRole('button', { name: 'Good answer', pressed: true })
  await waitFor(() => expect(said()).toBe('Thank you for the feedback.'))
  const ids = answers.map((each) => each.id)
  expect(sent).toEqual([['items.feedback', { thread_id: 't', item_ids: ids, kind: 'positive' }]])
  await person.click(screen.getByRole('button', { name: 'Bad answer' }))
  screen.getByRole('button', { name: 'Good answer', pressed: false })
  screen.getByRole('button', { name: 'Bad answer', pressed: true })
})

test('a rating survives a reload, and visits to other chats', async () => {
  const { person } = await draw()
  await person.click(screen.getByRole('button', { name: 'Good answer' }))
  await waitFor(() => expect(said()).toBe('Thank you for the feedback.'))
  cleanup()
  await draw()
  screen.getByRole('button', { name: 'Good answer', pressed: true })
})

test.each(['{', '{"a":1}', '[null, ["ID"]]', '[["ID", "best"]]'])(
  'ratings that another script stored are ignored: %s',
  async (stored) => {
    await draw()
    const key = `chatkit-ratings ${new URL('/chatkit', location.href)}`
    localStorage.setItem(key, stored.replace('ID', answers[1].id))
    cleanup()
    await draw()
    screen.getByRole('button', { name: 'Good answer', pressed: false })
    screen.getByRole('button', { name: 'Bad answer', pressed: false })
  },
)

test('feedback that cannot be sent is undone', async () => {
  const { person } = await draw(() => 500)
  await person.click(screen.getByRole('button', { name: 'Good answer' }))
  await screen.findByRole('alert')
  screen.getByRole('button', { name: 'Good answer', pressed: false })
})

test('a retry requests another answer to the previous message', async () => {
  const { person, chat } = await draw()
  const retry = vi.spyOn(chat, 'retry').mockResolvedValue()
  await person.click(screen.getByRole('button', { name: 'Get another answer' }))
  expect(retry).toHaveBeenCalledWith(asked)
})

test('actions that the app disabled are not shown', async () => {
  await render(<AnswerActions endId="x" question={null} />, () => 404)
  expect(screen.getAllByRole('button')).toHaveLength(1)
})
