// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import type { Widget } from '../../src/protocol/types'
import type { Answer } from '../render'
import { itemOf, showing } from './thread'

const action = { type: 'go', payload: { id: 1 } }

/** Every component with an action, the user's input, and the action that is sent. */
const TAKING: {
  name: string
  widget: Widget
  use: string
  payload: unknown
}[] = [
  {
    name: 'a button',
    widget: { type: 'Button', label: 'Go', onClickAction: action },
    use: 'button',
    payload: { id: 1 },
  },
  {
    name: 'an item of a list',
    widget: {
      type: 'ListView',
      children: [
        {
          type: 'ListViewItem',
          children: [{ type: 'Text', value: 'Go' }],
          onClickAction: action,
        },
      ],
    },
    use: 'button',
    payload: { id: 1 },
  },
  {
    name: 'a card that is confirmed',
    widget: { type: 'Card', children: [], confirm: { label: 'Go', action } },
    use: 'button',
    payload: { id: 1 },
  },
  {
    name: 'a card that is left',
    widget: { type: 'Card', children: [], cancel: { label: 'Go', action } },
    use: 'button',
    payload: { id: 1 },
  },
  {
    name: 'a card that is a form',
    widget: {
      type: 'Card',
      asForm: true,
      children: [{ type: 'Input', name: 'who.name', defaultValue: 'Kari' }],
      confirm: { label: 'Go', action },
    },
    use: 'button',
    payload: { id: 1, who: { name: 'Kari' } },
  },
  {
    name: 'a form',
    widget: {
      type: 'Form',
      onSubmitAction: action,
      children: [
        { type: 'Checkbox', name: 'who.agrees', defaultChecked: true },
        { type: 'Input', name: 'who.name', defaultValue: 'Kari', disabled: true },
        { type: 'Select', name: 'who.sort', options: [{ value: 'a', label: 'A' }] },
        { type: 'Button', label: 'Go', submit: true },
      ],
    },
    use: 'button',
    payload: { id: 1, who: { agrees: true, sort: null } },
  },
  {
    name: 'a button within a form',
    widget: {
      type: 'Form',
      children: [
        { type: 'Textarea', name: 'text', defaultValue: 'Hello', required: true },
        { type: 'Button', label: 'Go', onClickAction: action },
      ],
    },
    use: 'button',
    payload: { id: 1, text: 'Hello' },
  },
  {
    name: 'a checkbox',
    widget: { type: 'Checkbox', name: 'agrees', label: 'Go', onChangeAction: action },
    use: 'checkbox',
    payload: { id: 1, agrees: true },
  },
  {
    name: 'a choice of one',
    widget: {
      type: 'RadioGroup',
      name: 'size',
      options: [{ value: 'l', label: 'Go' }],
      onChangeAction: action,
    },
    use: 'radio',
    payload: { id: 1, size: 'l' },
  },
]

for (const { name, widget, use, payload } of TAKING) {
  test(`${name} sends its action to the server`, async () => {
    const { person, sent } = await showing(widget)
    await person.click(await screen.findByRole(use, { name: 'Go' }))
    await waitFor(() => expect(sent).toHaveLength(1))
    expect(sent[0]).toEqual({
      type: 'threads.custom_action',
      params: { thread_id: 'thread', item_id: 'item', action: { type: 'go', payload } },
    })
  })
}

test('an option can be chosen from a list by keyboard, and is sent', async () => {
  const options = ['Oslo', 'Bergen', 'Tromsø'].map((label) => ({ value: label, label }))
  const { person, sent } = await showing({
    type: 'Select',
    name: 'city',
    options,
    clearable: true,
    onChangeAction: action,
  })
  await person.tab()
  await person.keyboard('{ArrowDown}{ArrowDown}{Enter}')
  expect(screen.getByRole('combobox').textContent).toBe('Bergen')
  expect(document.activeElement).toBe(screen.getByRole('combobox'))
  await person.keyboard('t{Enter}')
  expect(screen.getByRole('combobox').textContent).toBe('Tromsø')
  await person.click(screen.getByRole('button', { name: 'Clear' }))
  expect(screen.getByRole('combobox').textContent).toBe('Choose…')
  await waitFor(() => expect(sent).toHaveLength(3))
  expect(sent.map(({ params }) => params.action.payload)).toEqual([
    { id: 1, city: 'Bergen' },
    { id: 1, city: 'Tromsø' },
    { id: 1, city: null },
  ])
})

test('a day can be chosen from a calendar by keyboard, and is sent', async () => {
  const { person, sent } = await showing({
    type: 'DatePicker',
    name: 'day',
    defaultValue: '2026-11-25',
    max: '2026-12-02',
    onChangeAction: { type: 'go' },
  })
  await person.click(screen.getByRole('combobox', { name: 'day' }))
  // Without a layout, popups are hidden.
  await screen.findByRole('grid', { hidden: true })
  await waitFor(() =>
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Wednesday, November 25, 2026'),
  )
  // The last one is outside of the range that can be chosen.
  await person.keyboard('{ArrowDown}{ArrowDown}')
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Wednesday, December 2, 2026')
  await person.keyboard('{Enter}')
  expect(screen.queryByRole('grid', { hidden: true })).toBeNull()
  expect(screen.getByRole('combobox').textContent).toBe('Dec 2, 2026')
  await waitFor(() => expect(sent).toHaveLength(1))
  const { day } = sent[0]!.params.action.payload as { day: string }
  expect(day).toMatch(/^2026-12-02T00:00:00\.000[+-]\d\d:\d\d$/)
})

test('an action for the page goes to the page, and the control waits for it', async () => {
  let answer = (): void => {}
  const onAction = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)))
  const widget: Widget = {
    type: 'Card',
    children: [],
    confirm: { label: 'Buy', action: { ...action, handler: 'client' } },
    cancel: { label: 'Leave', action: { type: 'leave' } },
  }
  const { person, sent } = await showing(widget, undefined, { widgets: { onAction } })
  const buy = screen.getByRole('button', { name: 'Buy' })
  await person.click(buy)
  expect(onAction).toHaveBeenCalledExactlyOnceWith(
    { type: 'go', payload: { id: 1 } },
    { id: 'item', widget },
  )
  const content = buy.closest('.widget-content')
  expect(content?.hasAttribute('inert')).toBe(true)
  answer()
  await waitFor(() => expect(content?.hasAttribute('inert')).toBe(false))
  expect(document.activeElement).toBe(buy)
  expect(sent).toEqual([])
})

test('an action for a page without a handler fails at its control', async () => {
  const { person, events } = await showing({
    type: 'Button',
    label: 'Go',
    onClickAction: { type: 'go', handler: 'client' },
  })
  await person.click(screen.getByRole('button', { name: 'Go' }))
  expect((await screen.findByRole('alert')).textContent).toBe('That did not work.')
  expect(events).toContain('chatkit.error')
})

test('a synchronous action returns its updated item', async () => {
  const { person, sent } = await showing(
    { type: 'Button', label: 'Go', onClickAction: { ...action, streaming: false } },
    () => ({ updated_item: itemOf({ type: 'Text', value: 'Gone' }) }),
  )
  await person.click(screen.getByRole('button', { name: 'Go' }))
  await screen.findByText('Gone')
  expect(sent).toEqual([
    {
      type: 'threads.sync_custom_action',
      params: { thread_id: 'thread', item_id: 'item', action },
    },
  ])
})

const FAILING: [name: string, streaming: boolean, answer: Answer, shown: string][] = [
  ['refuses a stream', true, 500, 'That did not work.'],
  ['refuses an answer', false, 500, 'That did not work.'],
  [
    'reports an error in the stream',
    true,
    [{ type: 'error', code: 'custom', message: 'Sold out.', allow_retry: true }],
    'Sold out.',
  ],
  [
    'only sends a notice with the reason',
    true,
    [{ type: 'notice', level: 'warning', message: 'You have done this.' }],
    'You have done this.',
  ],
  [
    'ends the stream with an error',
    true,
    [{ type: 'error', code: 'stream.error' }],
    'That did not work.',
  ],
]

for (const [name, streaming, answer, shown] of FAILING) {
  test(`if the server ${name}, the button shows it and can be pressed again`, async () => {
    let isBroken = true
    const { person, sent, chat } = await showing(
      { type: 'Button', label: 'Go', onClickAction: { ...action, streaming } },
      () => (isBroken ? answer : streaming ? [] : {}),
    )
    await person.click(screen.getByRole('button', { name: 'Go' }))
    expect((await screen.findByRole('alert')).textContent).toBe(shown)
    expect(chat.state.get().thread.error).toBeNull()
    isBroken = false
    await person.click(screen.getByRole('button', { name: 'Go' }))
    await waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
    expect(sent).toHaveLength(2)
  })
}

/** How each loading behavior shows that the server has not responded yet. */
const WAITING: [behavior: string | undefined, isButtonBusy: boolean, isWidgetBusy: boolean][] = [
  [undefined, true, false],
  ['auto', true, false],
  ['self', true, false],
  ['container', false, true],
  ['none', false, false],
  ['what?', true, false],
]

for (const [loadingBehavior, isButtonBusy, isWidgetBusy] of WAITING) {
  test(`a button with loadingBehavior ${loadingBehavior} waits, and is sent once`, async () => {
    let answer: (answer: Answer) => void = () => {}
    const { person, sent } = await showing(
      { type: 'Button', label: 'Go', onClickAction: { ...action, loadingBehavior } },
      () => new Promise((resolve) => (answer = resolve)),
    )
    const button = screen.getByRole('button', { name: 'Go' })
    await person.dblClick(button)
    await person.keyboard('{Enter}')
    expect(button.getAttribute('aria-busy') === 'true').toBe(isButtonBusy)
    expect(button.closest('.widget')?.getAttribute('aria-busy')).toBe(String(isWidgetBusy))
    answer([])
    await waitFor(() => expect(button.getAttribute('aria-disabled')).toBe('false'))
    expect(button.closest('.widget')?.getAttribute('aria-busy')).toBe('false')
    expect(document.activeElement).toBe(button)
    expect(sent).toHaveLength(1)
  })
}

test('while one action waits, buttons for the server are off, and those for the page are not', async () => {
  let answer: (answer: Answer) => void = () => {}
  const onAction = vi.fn(async () => {})
  const { person, sent } = await showing(
    {
      type: 'Row',
      children: [
        { type: 'Button', label: 'One', onClickAction: { type: 'one' } },
        { type: 'Button', label: 'Two', onClickAction: { type: 'two' } },
        { type: 'Button', label: 'Page', onClickAction: { type: 'page', handler: 'client' } },
        { type: 'Button', label: 'Quick', onClickAction: { type: 'quick', streaming: false } },
      ],
    },
    () => new Promise((resolve) => (answer = resolve)),
    { widgets: { onAction } },
  )
  for (const name of ['One', 'Two', 'Page', 'Quick']) {
    await person.click(screen.getByRole('button', { name }))
  }
  expect(sent.map(({ params }) => params.action.type)).toEqual(['one'])
  expect(onAction).toHaveBeenCalledOnce()
  answer([])
  const two = screen.getByRole('button', { name: 'Two' })
  await waitFor(() => expect(two.getAttribute('aria-disabled')).toBe('false'))
  await person.click(two)
  expect(sent.map(({ params }) => params.action.type)).toEqual(['one', 'two'])
})

test('the failure of an action that removed its button is shown in the thread', async () => {
  const { person, chat } = await showing(
    { type: 'Button', label: 'Go', onClickAction: action },
    () => [
      { type: 'thread.item.replaced', item: itemOf({ type: 'Text', value: 'Gone' }) },
      { type: 'notice', level: 'warning', message: 'Nearly sold out.' },
      { type: 'error', code: 'custom', message: 'No mail was sent.', allow_retry: true },
    ],
  )
  await person.click(screen.getByRole('button', { name: 'Go' }))
  await screen.findByText('Gone')
  await waitFor(() =>
    expect(chat.state.get().thread.error).toMatchObject({
      message: 'No mail was sent.',
      allowRetry: false,
    }),
  )
  expect(chat.state.get().thread.notices).toMatchObject([{ message: 'Nearly sold out.' }])
})

test('of the changes during a pending action, only the last is sent', async () => {
  const answers: ((answer: Answer) => void)[] = []
  const { person, sent } = await showing(
    {
      type: 'RadioGroup',
      name: 'size',
      options: ['s', 'm', 'l'].map((value) => ({ value, label: value })),
      onChangeAction: { type: 'size' },
    },
    () => new Promise((resolve) => answers.push(resolve)),
  )
  for (const name of ['s', 'm', 'l']) await person.click(screen.getByRole('radio', { name }))
  expect(sent).toHaveLength(1)
  answers[0]?.([])
  await waitFor(() => expect(sent).toHaveLength(2))
  answers[1]?.([])
  expect(sent.map(({ params }) => params.action.payload)).toEqual([{ size: 's' }, { size: 'l' }])
})

test('a response after the thread was closed changes nothing', async () => {
  let answer: (answer: Answer) => void = () => {}
  const { person, chat } = await showing(
    { type: 'Button', label: 'Go', onClickAction: { ...action, streaming: false } },
    () => new Promise((resolve) => (answer = resolve)),
  )
  await person.click(screen.getByRole('button', { name: 'Go' }))
  await chat.setThreadId('other')
  answer({ updated_item: itemOf({ type: 'Text', value: 'Gone' }) })
  await waitFor(() => expect(screen.queryByRole('button')).toBeNull())
  expect(screen.queryByText('Gone')).toBeNull()
})

test('an action of the app can have an item or none', async () => {
  const { chat, sent } = await showing({ type: 'Text', value: 'Here' }, ({ params }) =>
    params.item_id === undefined ? 500 : [],
  )
  await chat.sendCustomAction({ type: 'ping' }, 'item')
  expect(chat.state.get().thread.error).toBeNull()
  await chat.sendCustomAction({ type: 'ping', payload: { a: 1 } })
  expect(sent.map(({ params }) => params)).toEqual([
    { thread_id: 'thread', item_id: 'item', action: { type: 'ping' } },
    { thread_id: 'thread', action: { type: 'ping', payload: { a: 1 } } },
  ])
  // Trying again would not repeat the action, but ask for another answer to the last message.
  expect(chat.state.get().thread.error).toMatchObject({ allowRetry: false })
})
