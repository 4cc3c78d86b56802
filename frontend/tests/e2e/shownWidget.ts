/** Opens chats that show a widget or a form. */

import { expect } from 'vitest'

import { Person, type Site } from './browser'

/** Open a chat that shows a widget. */
export async function seeing(
  site: Site,
  widget: object,
  options?: Parameters<typeof Person.at>[1],
  elementOptions: object = {},
): Promise<Person> {
  const ann = await Person.at(site, options)
  await ann.setOptions(elementOptions)
  await show(ann, widget)
  return ann
}

export async function show(ann: Person, widget: object): Promise<void> {
  await ann.say(`show ${JSON.stringify(widget)}`)
  await ann.chat.getByText('The tool said: It is shown').last().waitFor()
  await idle(ann)
}

/** Wait until no answer is being written. */
export async function idle(ann: Person): Promise<void> {
  await ann.button('Send').waitFor()
}

export async function leave(ann: Person): Promise<void> {
  expect(ann.problems).toEqual([])
  await ann.leave()
}

export const options = [
  { value: 'economy', label: 'Economy' },
  { value: 'business', label: 'Business', description: 'With a lounge' },
  { value: 'first', label: 'First', disabled: true },
]

export const form = {
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
