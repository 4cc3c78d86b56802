// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import type { Widget } from '../../src/protocol/types'
import { showing } from './thread'

const submit = { type: 'Button', label: 'Send', submit: true }
const options = [
  { value: 's', label: 'Small' },
  { value: 'l', label: 'Large' },
]

function formOf(...children: Widget[]): Widget {
  return {
    type: 'Card',
    children: [{ type: 'Form', onSubmitAction: { type: 'save' }, children: [...children, submit] }],
  }
}

function button(): HTMLElement {
  return screen.getByRole('button', { name: 'Send' })
}

/** Invalid values, and a valid one for the same field. */
const WRONG: [name: string, field: Widget, wrong: string, message: string, right: string][] = [
  [
    'that is required',
    { type: 'Input', name: 'f', required: true },
    '',
    'Please fill this in.',
    'x',
  ],
  [
    'with a pattern',
    { type: 'Input', name: 'f', pattern: '\\d{4}' },
    '12',
    'Please check this.',
    '1234',
  ],
  [
    'for e-mail',
    { type: 'Input', name: 'f', inputType: 'email' },
    'x',
    'Please check this.',
    'x@y.no',
  ],
  [
    'for a URL',
    { type: 'Input', name: 'f', inputType: 'url' },
    'x',
    'Please check this.',
    'https://y.no',
  ],
  ['of lines', { type: 'Textarea', name: 'f', required: true }, '', 'Please fill this in.', 'x'],
  [
    'of lines with a pattern',
    { type: 'Textarea', name: 'f', pattern: '[a-z]+' },
    '1',
    'Please check this.',
    'a',
  ],
  [
    'in a text',
    { type: 'Text', value: 'x', editable: { name: 'f', required: true } },
    '',
    'Please fill this in.',
    'y',
  ],
]

for (const [name, field, wrong, message, right] of WRONG) {
  test(`a field ${name} explains an invalid value, which is not sent`, async () => {
    const { person, sent } = await showing(
      formOf({ type: 'Label', value: 'Field', fieldName: 'f' }, field),
    )
    const box = screen.getByRole('textbox', { name: 'Field' })
    await person.clear(box)
    if (wrong !== '') await person.type(box, wrong)
    await person.click(button())
    expect(document.activeElement).toBe(box)
    expect(box.getAttribute('aria-invalid')).toBe('true')
    const described = document.getElementById(box.getAttribute('aria-describedby') ?? '')
    expect(described?.textContent).toBe(message)
    expect(sent).toEqual([])

    await person.clear(box)
    await person.type(box, right)
    expect(screen.queryByText(message)).toBeNull()
    await person.click(button())
    expect(sent.map(({ params }) => params.action.payload)).toEqual([{ f: right }])
  })
}

test('required choices are requested, starting with the first', async () => {
  const { person, sent } = await showing(
    formOf(
      { type: 'RadioGroup', name: 'size', options, required: true },
      { type: 'Checkbox', name: 'agrees', label: 'I agree', required: true },
    ),
  )
  await person.click(button())
  expect(screen.getAllByText('Please fill this in.')).toHaveLength(2)
  expect(document.activeElement).toBe(screen.getByRole('radio', { name: 'Small' }))
  await person.keyboard(' ')
  await person.click(screen.getByRole('checkbox', { name: 'I agree' }))
  expect(screen.queryByText('Please fill this in.')).toBeNull()
  await person.click(button())
  expect(sent.map(({ params }) => params.action.payload)).toEqual([{ size: 's', agrees: true }])
})

test("Enter sends a form, and a card's own button sends a form card", async () => {
  const { person, sent } = await showing({
    type: 'Card',
    asForm: true,
    children: [{ type: 'Input', name: 'who' }],
    confirm: { label: 'OK', action: { type: 'ok' } },
    cancel: { label: 'No', action: { type: 'no' } },
  })
  await person.type(screen.getByRole('textbox'), 'Kari{Enter}')
  expect(sent.map(({ params }) => params.action)).toEqual([
    { type: 'ok', payload: { who: 'Kari' } },
  ])
})

test('each submit button of a form has its own action', async () => {
  const ways = ['draft', 'final'].map((type) => ({
    type: 'Button',
    label: type,
    submit: true,
    onClickAction: { type },
  }))
  const { person, sent } = await showing({
    type: 'Form',
    children: [{ type: 'Input', name: 'who', required: true }, ...ways],
  })
  await person.click(screen.getByRole('button', { name: 'final' }))
  expect(sent).toEqual([])
  await person.type(screen.getByRole('textbox'), 'Kari')
  await person.click(screen.getByRole('button', { name: 'final' }))
  expect(sent.map(({ params }) => params.action)).toEqual([
    { type: 'final', payload: { who: 'Kari' } },
  ])
})

test('a value with a conflicting name is omitted, with a warning for the app', async () => {
  const { person, sent, events } = await showing({
    type: 'Form',
    onSubmitAction: { type: 'save', payload: { id: 1, todo: { by: 'me' } } },
    children: [
      ...['id', 'todo.by', 'todo.title', 'todo', 'id.deep', '__proto__.bad', ''].map((name) => ({
        type: 'Input',
        name,
        defaultValue: 'x',
      })),
      submit,
    ],
  })
  await person.click(button())
  expect(JSON.stringify(sent[0]?.params.action.payload)).toBe(
    '{"id":1,"todo":{"by":"me","title":"x"},"__proto__":{"bad":"x"}}',
  )
  expect({}).not.toHaveProperty('bad')
  expect(events.filter((event) => event === 'chatkit.error')).toHaveLength(4)
})

test('values survive a failure, another state of the widget, and a visit to the list', async () => {
  const field = { type: 'Input', name: 'who', defaultValue: 'Kari' }
  const widget = formOf(field)
  const { person, chat, show } = await showing(widget, () => 500)
  const box = (): HTMLInputElement => screen.getByRole('textbox')
  const holds = (value: string): Promise<void> => waitFor(() => expect(box().value).toBe(value))
  await person.type(box(), ' Nordmann')
  await person.click(button())
  await screen.findByRole('alert')
  await holds('Kari Nordmann')
  show(formOf({ type: 'Title', value: 'New' }, { type: 'Text', value: 'More' }, field))
  await holds('Kari Nordmann')
  show(formOf({ ...field, defaultValue: 'Ola' }))
  await holds('Ola')
  await person.type(box(), '!')
  show({ type: 'Text', value: 'Nothing to write in' })
  show(formOf({ ...field, defaultValue: 'Ola' }))
  await holds('Ola!')
  await chat.setThreadId('other')
  await chat.setThreadId('thread')
  await holds('Kari')
})

test('only the edited field is drawn again', async () => {
  const drawn = vi.fn()
  const fields = Array.from({ length: 20 }, (_, index) => ({
    type: 'Input',
    name: `f${index}`,
    get placeholder() {
      drawn(index)
      return 'Here'
    },
  }))
  const { person, show } = await showing({ type: 'Text', value: '' })
  show(formOf(...fields))
  await waitFor(() => expect(screen.getAllByRole('textbox')).toHaveLength(fields.length))
  const [box] = screen.getAllByRole('textbox')
  drawn.mockClear()
  await person.type(box as HTMLElement, 'a')
  expect(new Set(drawn.mock.calls.map(([index]) => index as number))).toEqual(new Set([0]))
})

test('labels name their controls, and focus them', async () => {
  const labelled = ['text', 'lines', 'list', 'day', 'choice', 'check'].flatMap((name) => [
    { type: 'Label', value: `The ${name}`, fieldName: name },
  ])
  const { person } = await showing(
    formOf(
      ...labelled,
      { type: 'Input', name: 'text' },
      { type: 'Textarea', name: 'lines' },
      { type: 'Select', name: 'list', options },
      { type: 'DatePicker', name: 'day' },
      { type: 'RadioGroup', name: 'choice', options },
      { type: 'Checkbox', name: 'check' },
    ),
  )
  for (const [role, name] of [
    ['textbox', 'The text'],
    ['textbox', 'The lines'],
    ['combobox', 'The list'],
    ['combobox', 'The day'],
    ['checkbox', 'The check'],
  ] as const) {
    const control = screen.getByRole(role, { name })
    await person.click(screen.getByText(name))
    expect(document.activeElement).toBe(control)
  }
  screen.getByRole('radiogroup', { name: 'The choice' })
})

const STRANGE: Widget[] = [
  { type: 'Button' },
  { type: 'Button', label: 7, onClickAction: 'go', color: 'mud', variant: {}, size: 'vast' },
  { type: 'Input' },
  { type: 'Input', name: {}, inputType: 'file', pattern: '(', defaultValue: [], size: -1 },
  { type: 'Textarea', rows: 1e9, maxRows: 'many', name: 'x'.repeat(10_000) },
  { type: 'Textarea', rows: -3, pattern: '*' },
  { type: 'Select' },
  { type: 'Select', name: 'a', options: 'none', defaultValue: 3 },
  {
    type: 'Select',
    name: 'a',
    options: [null, 1, {}, { value: '"]' }, { value: '"]', label: '2' }],
  },
  { type: 'RadioGroup' },
  { type: 'RadioGroup', name: 'a', options: { 0: 'a' }, direction: 'up' },
  { type: 'Checkbox', label: { a: 1 }, defaultChecked: 'yes' },
  { type: 'DatePicker', defaultValue: '2026-13-45', min: 'never', max: 12 },
  { type: 'DatePicker', defaultValue: '99999-01-01', min: '2027-01-01', max: '2026-01-01' },
  { type: 'DatePicker', side: 'under', align: 7 },
  { type: 'Label' },
  { type: 'Label', value: null, fieldName: '__proto__' },
  { type: 'Form' },
  { type: 'Form', children: [{ type: 'Form', children: [submit] }, submit], onSubmitAction: 3 },
  { type: 'Text', value: 'x', editable: { name: null } },
  { type: 'Card', asForm: true, confirm: { label: null, action: {} }, cancel: 'no' },
]

for (const widget of STRANGE) {
  test(`${JSON.stringify(widget).slice(0, 90)} neither breaks nor breaks others`, async () => {
    const failures = vi.spyOn(console, 'error')
    const { person, sent } = await showing({
      type: 'Basic',
      children: [widget, { type: 'Text', value: 'After it' }],
    })
    screen.getByText('After it')
    for (const control of screen.queryAllByRole('button')) await person.click(control)
    for (const control of screen.queryAllByRole('combobox')) {
      await person.click(control)
      await person.keyboard('a{ArrowDown}{Escape}')
    }
    expect(sent).toEqual([])
    // React warns about nested forms, but browsers handle them as intended.
    const broken = failures.mock.calls.filter(([text]) => !/nested|descendant/.test(String(text)))
    expect(broken).toEqual([])
    failures.mockRestore()
  })
}
