// @vitest-environment jsdom
import { act, cleanup, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { Drafts, type Draft } from '../../src/chat/drafts'
import { textContent } from '../../src/chat/content'
import type { Uploads } from '../../src/chat/uploads'
import { Item } from '../../src/items/Item'
import type { ThreadItem, Widget } from '../../src/protocol/types'
import { useChat } from '../../src/ui/context'
import { useStore } from '../../src/ui/useStore'
import WidgetView from '../../src/widgets/WidgetView'
import { item, question } from '../items/items'
import { render, type Rendered, type Server } from '../render'
import { itemOf } from '../widgets/thread'

beforeEach(() => sessionStorage.clear())

function Items() {
  const items = useStore(useChat().state, (state) => state.thread.items)
  return items.map((each) =>
    each.type === 'widget' ? (
      <WidgetView key={each.id} widget={each.widget} item={each} />
    ) : (
      <Item
        key={each.id}
        item={each}
        isOpen={false}
        isLive={false}
        progress={null}
        isEnd={false}
        question={null}
      />
    ),
  )
}

const why = { type: 'freeform' as const, id: 'why', question: 'Why?' }
const asking = (inputs = [why]) => item('structured_input', { status: 'pending', inputs })

/** A server with threads `a` and `b`; each shows the same items. */
const server =
  (items: readonly ThreadItem[]): Server =>
  (type, params) => {
    if (type === 'items.list') return { data: items.toReversed(), has_more: false }
    if (!type.startsWith('threads.get')) return []
    return { id: params['thread_id'], created_at: '2026-01-01T00:00:00', items: { data: [] } }
  }

/** Open a page that shows thread `a`. */
async function open(items: readonly ThreadItem[], given = server(items)): Promise<Rendered> {
  const page = await render(<Items />, given, { threadItemActions: { edit: true } })
  await act(() => page.chat.setThreadId('a'))
  return page
}

function close(): void {
  window.dispatchEvent(new Event('pagehide'))
  cleanup()
}

const stored = (): string => JSON.stringify(Object.values({ ...sessionStorage }))
const value = (name: string): string =>
  screen.getByRole<HTMLInputElement>('textbox', { name }).value

test('answers survive another thread and a reload', async () => {
  const how = { ...why, id: 'how', question: 'How?' }
  const items = [asking([why, how])]
  const { chat, person } = await open(items)
  await person.type(screen.getByRole('textbox', { name: 'Why?' }), 'For fun')
  await person.type(screen.getByRole('textbox', { name: 'How?' }), 'By boat')
  await act(() => chat.setThreadId('b'))
  expect(value('Why?')).toBe('')
  await act(() => chat.setThreadId('a'))
  expect([value('Why?'), value('How?')]).toEqual(['For fun', 'By boat'])
  close()
  await open(items)
  expect([value('Why?'), value('How?')]).toEqual(['For fun', 'By boat'])
})

test.each([
  ['answered', (asked: ThreadItem) => [{ ...asked, status: 'answered' } as ThreadItem]],
  ['declined by a message', (asked: ThreadItem) => [asked, question('Never mind')]],
  ['removed', () => []],
])('answers are forgotten when their questions were %s', async (_, changed) => {
  const asked = asking()
  const { person } = await open([asked])
  await person.type(screen.getByRole('textbox', { name: 'Why?' }), 'For fun')
  close()
  expect(stored()).toContain('For fun')
  await open(changed(asked))
  close()
  expect(stored()).not.toContain('For fun')
})

test('edits survive another thread and a reload, and do not take the focus', async () => {
  const items = [question('First'), question('Second')]
  const { chat, person } = await open(items)
  for (const [index, each] of items.entries()) {
    await person.click(screen.getAllByRole('button', { name: 'Edit' })[0]!)
    expect(screen.getAllByRole('textbox')).toHaveLength(index + 1)
    act(() => chat.state.get().draft.enter(each.id, { edit: textContent(`Better ${index}`) }))
  }
  const shown = (): (string | null)[] =>
    screen.getAllByRole('textbox').map(({ textContent: text }) => text)
  await act(() => chat.setThreadId('b'))
  expect(screen.queryByRole('textbox')).toBeNull()
  await act(() => chat.setThreadId('a'))
  await waitFor(() => expect(shown()).toEqual(['Better 0', 'Better 1']))
  close()
  await open(items)
  await waitFor(() => expect(shown()).toEqual(['Better 0', 'Better 1']))
  expect(document.activeElement).toBe(document.body)
  await screen.getAllByRole('button', { name: 'Cancel' })[1]!.click()
  close()
  expect(stored()).not.toContain('Better 1')
})

const better = [{ type: 'input_text' as const, text: 'Better' }]

test.each([
  ['is back', question('First'), 'Better'],
  ['is done if the server has it', { ...question('First'), content: better }, undefined],
])('an edit that the page closed on while sending it %s', async (_, after, shown) => {
  const first = { ...after, content: question('First').content }
  const { chat } = await open([first], (type, params) =>
    type === 'threads.retry_after_item' ? new Promise(() => {}) : server([first])(type, params),
  )
  act(() => void chat.edit(first, better))
  expect(screen.queryByRole('textbox')).toBeNull()
  close()
  await open([after])
  await waitFor(() => expect(screen.queryByRole('textbox')?.textContent).toBe(shown))
  close()
  expect(stored().includes('Better')).toBe(shown !== undefined)
})

test("a widget's values survive a reload, except passwords, which are never stored", async () => {
  const field = (name: string, inputType: string): Widget => ({ type: 'Input', name, inputType })
  const check = { type: 'Checkbox', name: 'sure', label: 'Sure' }
  const children = [field('town', 'text'), field('code', 'password'), check]
  const items = [itemOf({ type: 'Card', children } as Widget)]
  const { chat, person } = await open(items)
  const secret = (): HTMLInputElement => screen.getByLabelText('code')
  await person.type(screen.getByRole('textbox', { name: 'town' }), 'Oslo')
  await person.type(secret(), 'hunter2')
  await person.click(screen.getByRole('checkbox'))
  await act(() => chat.setThreadId('b'))
  await act(() => chat.setThreadId('a'))
  expect([value('town'), secret().value]).toEqual(['Oslo', 'hunter2'])
  close()
  expect(stored()).not.toContain('hunter2')
  await open(items)
  expect([value('town'), secret().value]).toEqual(['Oslo', ''])
  expect(screen.getByRole('checkbox').getAttribute('aria-checked')).toBe('true')
})

function draftOf(key: string): Draft {
  const uploads = { state: { subscribe: () => {} }, finished: () => [], add: () => {} }
  const drafts = new Drafts(() => uploads as unknown as Uploads)
  drafts.use('/chatkit', key)
  return drafts.of('a')
}

test('each element has its own, the newest fifty are kept, and invalid ones are ignored', () => {
  const one = draftOf('one')
  for (let index = 0; index < 60; index++) {
    one.enter(`item ${index}`, { answers: { why: ['x'] } })
  }
  window.dispatchEvent(new Event('pagehide'))
  expect(draftOf('two').state.get().entered).toEqual({})
  const ids = Object.keys(draftOf('one').state.get().entered)
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([50, 'item 10', 'item 59'])
  const invalid = [null, 1, { edit: 'x' }, { answers: { a: 'x' } }, { fields: { a: { value: 1 } } }]
  for (const [index, entry] of invalid.entries()) one.enter(`bad ${index}`, entry as never)
  window.dispatchEvent(new Event('pagehide'))
  const kept = Object.keys(draftOf('one').state.get().entered)
  expect(kept.filter((id) => id.startsWith('bad'))).toEqual([])
})
