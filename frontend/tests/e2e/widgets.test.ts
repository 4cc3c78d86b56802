import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { open, Person, type Site } from './browser'

interface Axe {
  axe: {
    run: (
      document: Document,
    ) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let site: Site

beforeAll(async () => {
  site = await open()
}, 60_000)
afterAll(() => site?.close())

type Options = Parameters<typeof Person.at>[1]

/** Somebody who sees a widget. */
async function seeing(
  widget: object,
  options?: Options,
  elementOptions: object = {},
): Promise<Person> {
  const ann = await Person.at(site, options)
  await ann.setOptions(elementOptions)
  await show(ann, widget)
  return ann
}

async function show(ann: Person, widget: object): Promise<void> {
  await ann.say(`show ${JSON.stringify(widget)}`)
  await ann.chat.getByText('The tool said: It is shown').last().waitFor()
  await idle(ann)
}

async function idle(ann: Person): Promise<void> {
  await ann.button('Send').waitFor()
}

async function leave(ann: Person): Promise<void> {
  expect(ann.complaints).toEqual([])
  await ann.page.context().close()
}

async function check(ann: Person): Promise<void> {
  const frame = ann.page.frames()[1]
  await frame?.evaluate(axe)
  const found = await frame?.evaluate(async () => {
    const { violations } = await (window as unknown as Axe).axe.run(document)
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
  })
  expect(found).toEqual([])
}

const options = [
  { value: 'economy', label: 'Economy' },
  { value: 'business', label: 'Business', description: 'With a lounge' },
  { value: 'first', label: 'First', disabled: true },
]

const form = {
  type: 'Card',
  asForm: true,
  children: [
    { type: 'Text', value: 'A trip', editable: { name: 'trip.title', required: true } },
    { type: 'Label', value: 'Name', fieldName: 'name' },
    { type: 'Input', name: 'name', required: true },
    { type: 'Label', value: 'Class', fieldName: 'class' },
    { type: 'Select', name: 'class', options, block: true, clearable: true },
    { type: 'Label', value: 'Day', fieldName: 'trip.day' },
    {
      type: 'DatePicker',
      name: 'trip.day',
      defaultValue: '2026-11-25',
      block: true,
      clearable: true,
    },
    {
      type: 'RadioGroup',
      name: 'seat',
      ariaLabel: 'Seat',
      required: true,
      options: [
        { value: 'window', label: 'Window' },
        { value: 'aisle', label: 'Aisle' },
      ],
    },
    { type: 'Textarea', name: 'wishes', placeholder: 'Wishes', rows: 1, autoResize: true },
    { type: 'Checkbox', name: 'agrees', label: 'I agree', required: true },
  ],
  confirm: { label: 'Book', action: { type: 'replace', payload: { id: 7 } } },
  cancel: { label: 'Not now', action: { type: 'note' } },
}

function replaced(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf(':') + 1))
}

const BOOKED = {
  id: 7,
  name: 'Kari',
  class: 'business',
  trip: { title: 'A trip', day: expect.stringMatching(/^2026-12-02T00:00:00\.000/) as string },
  seat: 'aisle',
  wishes: 'None\nat all',
  agrees: true,
}

test('a form is filled in and sent by keyboard alone', async () => {
  const ann = await seeing(form)
  const { keyboard } = ann.page
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await keyboard.press(key)
  }
  const focused = (): Promise<string | null | undefined> | undefined =>
    ann.page.frames()[1]?.evaluate(() => document.activeElement?.getAttribute('aria-label'))
  await ann.chat.getByRole('textbox', { name: 'Name' }).focus()
  await keyboard.type('Kari')
  await press('Tab', 'Enter')
  await ann.chat.getByRole('listbox', { name: 'Class' }).waitFor()
  await press('ArrowDown', 'ArrowDown', 'Enter')
  await ann.chat.getByRole('combobox', { name: 'Class' }).getByText('Business').waitFor()
  await press('Tab', 'Tab', 'ArrowDown')
  await ann.chat.getByRole('grid', { name: 'November 2026' }).waitFor()
  await expect.poll(focused).toBe('Wednesday, November 25, 2026')
  await press('ArrowDown')
  await expect.poll(focused).toBe('Wednesday, December 2, 2026')
  await press('Enter')
  await ann.chat.getByRole('combobox', { name: 'Day' }).getByText('Dec 2, 2026').waitFor()
  await press('Tab', 'Tab', 'Space')
  // As long as a finger is on a key, at the least.
  await keyboard.press('ArrowRight', { delay: 50 })
  await expect
    .poll(() =>
      ann.chat
        .getByRole('radio', { name: 'Aisle' })
        .evaluate((each) => each === document.activeElement),
    )
    .toBe(true)
  await press('Tab')
  await keyboard.type('None')
  await press('Enter')
  await keyboard.type('at all')
  await press('Tab', 'Space', 'Tab', 'Tab', 'Enter')
  const done = ann.text(/^Replaced: /)
  await done.waitFor()
  expect(replaced((await done.textContent()) ?? '')).toEqual(BOOKED)
  await leave(ann)
})

test('a form is filled in and sent by mouse, once it is complete', async () => {
  const ann = await seeing(form)
  await ann.button('Book').click()
  expect(await ann.chat.getByText('Please fill this in.').count()).toBe(3)
  const name = ann.chat.getByRole('textbox', { name: 'Name' })
  expect(await name.evaluate((each) => each === document.activeElement)).toBe(true)
  await name.fill('Kari')
  await ann.chat.locator('.widget').getByText('Class', { exact: true }).click()
  await ann.chat.getByRole('combobox', { name: 'Class' }).click()
  await ann.chat.getByRole('option', { name: 'First' }).click({ force: true })
  await ann.chat.getByRole('option', { name: 'Business' }).click()
  await ann.chat.getByRole('combobox', { name: 'Day' }).click()
  await ann.button('December 2026').click()
  await ann.button('Wednesday, December 2, 2026').click()
  await ann.chat.getByRole('radio', { name: 'Aisle' }).click()
  await ann.chat.getByRole('textbox', { name: 'Wishes' }).fill('None\nat all')
  await ann.chat.locator('.widget').getByText('I agree').click()
  await ann.button('Book').click()
  const done = ann.text(/^Replaced: /)
  await done.waitFor()
  expect(replaced((await done.textContent()) ?? '')).toEqual(BOOKED)
  await leave(ann)
})

/** The kinds of actions, and what is seen after each. */
const ACTIONS: [name: string, action: object, seen: string | RegExp][] = [
  ['that shows more', { type: 'note', payload: { a: 1 } }, 'Noted: {"a": 1}'],
  ['that replaces the widget', { type: 'replace', payload: { a: 1 } }, 'Replaced: {"a": 1}'],
  [
    'that is answered at once',
    { type: 'replace', payload: { a: 1 }, streaming: false },
    'Replaced: {"a": 1}',
  ],
  [
    'that the agent answers',
    { type: 'ask', payload: { question: 'Hi' } },
    /You said Hi, and I know/,
  ],
  ['that is refused', { type: 'refuse' }, 'Sold out. Try again later.'],
  ['that fails', { type: 'break' }, /did not work|went wrong/i],
  ['that nobody takes', { type: 'unheard of' }, 'This chat cannot do that.'],
  ['that does not fit', { type: 'ask', payload: { question: 7 } }, /Question: Input should be/],
]

for (const [name, action, seen] of ACTIONS) {
  test(`an action ${name} is taken by mouse and by keyboard`, async () => {
    for (const isByKeyboard of [false, true]) {
      const ann = await seeing({
        type: 'Card',
        children: [{ type: 'Button', label: 'Do it', onClickAction: action }],
      })
      if (isByKeyboard) await ann.button('Do it').press('Enter')
      else await ann.button('Do it').click()
      await ann.chat.locator('.items').getByText(seen).first().waitFor()
      await idle(ann)
      // A status that is no success is logged by the browser itself.
      ann.complaints.splice(
        0,
        Infinity,
        ...ann.complaints.filter((each) => !each.includes('status of')),
      )
      await leave(ann)
    }
  })
}

test('what goes wrong is said at the button, which works again, and nobody types anew', async () => {
  const ann = await seeing({
    type: 'Card',
    children: [
      {
        type: 'Form',
        onSubmitAction: { type: 'refuse' },
        children: [
          { type: 'Input', name: 'name' },
          { type: 'Button', label: 'Buy', submit: true },
        ],
      },
    ],
  })
  const name = ann.chat.getByRole('textbox', { name: 'name' })
  await name.fill('Kari')
  await name.press('Enter')
  await ann.chat
    .locator('form')
    .getByRole('alert')
    .getByText('Sold out. Try again later.')
    .waitFor()
  expect(await name.inputValue()).toBe('Kari')
  await check(ann)
  await ann.button('Buy').click()
  await ann.text('Taken: {"name": "Kari"}').waitFor()
  await leave(ann)
})

test('an action of the page is taken by the page, which may send another to the server', async () => {
  const ann = await Person.at(site)
  await ann.page.evaluate(() => {
    interface Chat extends HTMLElement {
      setOptions: (options: object) => void
      sendCustomAction: (action: object, itemId?: string) => Promise<void>
    }
    const chat = document.querySelector('openai-chatkit') as Chat
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      widgets: {
        onAction: (action: { payload: object }, item: { id: string }) =>
          chat.sendCustomAction({ type: 'replace', payload: { ...action.payload, b: 2 } }, item.id),
      },
    })
  })
  const action = { type: 'local', payload: { a: 1 }, handler: 'client' }
  await show(ann, {
    type: 'Card',
    children: [{ type: 'Button', label: 'Do it', onClickAction: action }],
  })
  await ann.button('Do it').click()
  await ann.text('Replaced: {"a": 1, "b": 2}').waitFor()
  await leave(ann)
})

test('a widget that waits keeps the focus, is sent once, and gives the focus back', async () => {
  const action = { type: 'note', payload: { seconds: 1 }, loadingBehavior: 'container' }
  const ann = await seeing({
    type: 'Card',
    children: [{ type: 'Button', label: 'Do it', onClickAction: action }],
  })
  await ann.button('Do it').dblclick()
  expect(await ann.chat.locator('.widget').getAttribute('aria-busy')).toBe('true')
  await check(ann)
  await ann.text('Noted: {"seconds": 1}').waitFor()
  await idle(ann)
  await expect
    .poll(() => ann.button('Do it').evaluate((each) => each === document.activeElement))
    .toBe(true)
  expect(await ann.chat.locator('.widget').getByText('Noted: {"seconds": 1}').count()).toBe(1)
  await leave(ann)
})

test('an old widget is used while nothing is written, and not while something is', async () => {
  const ann = await seeing({
    type: 'Card',
    children: [{ type: 'Button', label: 'Old', onClickAction: { type: 'replace' } }],
  })
  await ann.ask('Hello', /You said Hello/)
  await ann.say('talk')
  await ann.text(/Word 3\./).waitFor()
  expect(await ann.button('Old').getAttribute('aria-disabled')).toBe('true')
  await ann.button('Stop').click()
  await idle(ann)
  // The server lets go of the thread a moment later.
  await ann.page.waitForTimeout(500)
  await ann.button('Old').click()
  await ann.text('Replaced: null').waitFor()
  await leave(ann)
})

test('what a control opens stays within a narrow frame, and Escape closes it', async () => {
  const many = Array.from({ length: 300 }, (_, index) => ({
    value: String(index),
    label: `Option ${index} of a list that is rather long, in words that are many`,
  }))
  const ann = await seeing(
    {
      type: 'Card',
      children: [
        { type: 'Select', name: 'many', options: many },
        {
          type: 'Row',
          justify: 'end',
          children: [{ type: 'DatePicker', name: 'day', side: 'right', align: 'end' }],
        },
      ],
    },
    { viewport: { width: 320, height: 480 } },
  )
  for (const name of ['many', 'day']) {
    const control = ann.chat.getByRole('combobox', { name })
    await control.click()
    const popup = ann.chat.locator('.widget-popup')
    await ann.chat.locator('.widget-options, .widget-month').waitFor()
    const box = await popup.boundingBox()
    expect(box?.x).toBeGreaterThanOrEqual(0)
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(320)
    expect(box?.y).toBeGreaterThanOrEqual(0)
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(480)
    await check(ann)
    await ann.page.keyboard.press('Escape')
    await popup.waitFor({ state: 'detached' })
    expect(await control.evaluate((each) => each === document.activeElement)).toBe(true)
  }
  await ann.chat.getByRole('combobox', { name: 'many' }).press('Enter')
  await ann.page.keyboard.type('Option 299!')
  await ann.chat.getByText('Nothing found.').waitFor()
  await check(ann)
  await ann.page.keyboard.press('Backspace')
  await ann.page.keyboard.press('Enter')
  await ann.chat.getByRole('combobox', { name: 'many' }).getByText('Option 299').waitFor()
  await leave(ann)
})

for (const colorScheme of ['light', 'dark']) {
  test(`controls are named and readable in the ${colorScheme}, in each of their states`, async () => {
    const ann = await seeing(form, {}, { theme: colorScheme })
    await check(ann)
    await ann.button('Book').click()
    await check(ann)
    await ann.chat.getByRole('combobox', { name: 'Class' }).click()
    await ann.chat.getByRole('option', { name: 'Economy' }).waitFor()
    await check(ann)
    await ann.page.keyboard.press('Escape')
    await ann.chat.getByRole('combobox', { name: 'Day' }).click()
    await ann.chat.getByRole('grid').waitFor()
    await check(ann)
    await leave(ann)
  })
}

test('a calendar goes from right to left where texts do', async () => {
  const ann = await Person.at(site)
  await show(ann, form)
  await ann.setOptions({ locale: 'ar' })
  const day = ann.chat.getByRole('combobox', { name: 'Day' })
  await day.click()
  const focused = (): Promise<string | undefined> | undefined =>
    ann.page.frames()[1]?.evaluate(() => document.activeElement?.textContent ?? undefined)
  await ann.chat.getByRole('grid').waitFor()
  const before = await day.textContent()
  await expect.poll(focused).not.toBe(before)
  const first = Number((await focused())?.replace('٢٥', '25'))
  await ann.page.keyboard.press('ArrowLeft')
  const second = Number((await focused())?.replace('٢٦', '26'))
  expect([first, second]).toEqual([25, 26])
  await check(ann)
  await leave(ann)
})

test('a form of a hundred fields is opened and written in', async () => {
  const children = Array.from({ length: 100 }, (_, index) => {
    const name = `f${index}`
    return [
      { type: 'Input', name },
      { type: 'Select', name, options },
      { type: 'DatePicker', name },
      { type: 'Checkbox', name, label: name },
      { type: 'Textarea', name, rows: 1 },
    ][index % 5]
  })
  const ann = await Person.at(site)
  await show(ann, { type: 'Card', children: [{ type: 'Form', children }] })
  const last = ann.chat.getByRole('textbox', { name: 'f99' })
  await last.waitFor()
  await last.pressSequentially('some words')
  expect(await last.inputValue()).toBe('some words')
  await leave(ann)
})
