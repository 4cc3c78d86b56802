// @vitest-environment jsdom
import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import { Questions } from '../../src/items/Questions'
import type { StructuredInputItem } from '../../src/protocol/types'
import { render, type Server } from '../render'
import { item } from './items'

const options = [{ value: 'Train' }, { value: 'Boat' }]
const how = { type: 'multiple_choice' as const, id: 'how', question: 'How?', options }
const why = { type: 'freeform' as const, id: 'why', question: 'Why?' }

async function asked(inputs: StructuredInputItem['inputs'], server: Server = () => 500) {
  const asking = item('structured_input', { status: 'pending', inputs })
  const rendered = await render(<Questions item={asking} />, server)
  rendered.chat.state.set({ threadId: 't' })
  const answers = vi.spyOn(rendered.chat, 'answer')
  return { ...rendered, answers, asking }
}

test('choices and texts are sent, and unanswered questions are skipped', async () => {
  const { person, answers, asking } = await asked([how, why, { ...why, id: 'x', question: 'X?' }])
  await person.click(screen.getByRole('radio', { name: 'Boat' }))
  await person.type(screen.getByRole('textbox', { name: 'Why?' }), ' It is nice. ')
  await person.click(screen.getByRole('button', { name: 'Answer' }))
  expect(answers).toHaveBeenCalledWith(asking.id, {
    status: 'answered',
    answers: { how: { values: ['Boat'] }, why: { values: ['It is nice.'] }, x: { skipped: true } },
  })
})

test('a user may choose several options, and add a text', async () => {
  const { person, answers, asking } = await asked([{ ...how, multiple: true }])
  await person.click(screen.getByRole('checkbox', { name: 'Train' }))
  await person.click(screen.getByRole('checkbox', { name: 'Boat' }))
  await person.click(screen.getByRole('checkbox', { name: 'Train' }))
  await person.type(screen.getByRole('textbox', { name: 'Something else: How?' }), 'On foot{Enter}')
  expect(answers).toHaveBeenCalledWith(asking.id, {
    status: 'answered',
    answers: { how: { values: ['Boat', 'On foot'] } },
  })
})

test('a text replaces a choice, and a choice replaces a text', async () => {
  const { person } = await asked([how])
  const own = screen.getByRole<HTMLInputElement>('textbox', { name: 'Something else: How?' })
  const boat = screen.getByRole<HTMLInputElement>('radio', { name: 'Boat' })
  await person.click(boat)
  await person.type(own, 'On foot')
  expect(boat.checked).toBe(false)
  await person.click(boat)
  expect(own.value).toBe('')
})

test('an empty form is not sent, and the first question says why', async () => {
  const { person, answers } = await asked([why, how])
  await person.type(screen.getByRole('textbox', { name: 'Why?' }), '  ')
  await person.click(screen.getByRole('button', { name: 'Answer' }))
  expect(answers).not.toHaveBeenCalled()
  const field = screen.getByRole('textbox', { name: 'Why?', description: 'Please fill this in.' })
  expect(document.activeElement).toBe(field)
  expect(field.getAttribute('aria-invalid')).toBe('true')
  await person.type(field, 'x')
  expect(screen.queryByRole('alert')).toBeNull()
})

test('Enter sends the answer to one question, and Shift+Enter writes a line', async () => {
  const { person, answers, asking } = await asked([why])
  await person.click(screen.getByRole('textbox', { name: 'Why?' }))
  await person.keyboard('a{Shift>}{Enter}{/Shift}b{Enter}')
  expect(answers).toHaveBeenCalledWith(asking.id, {
    status: 'answered',
    answers: { why: { values: ['a\nb'] } },
  })
})

test('the Enter with which Safari ends the input of a Japanese word sends no answer', async () => {
  const { person, answers } = await asked([why])
  const field = screen.getByRole('textbox', { name: 'Why?' })
  await person.type(field, '何故')
  fireEvent.keyDown(field, { key: 'Enter', keyCode: 229 })
  expect(answers).not.toHaveBeenCalled()
})

test('with several questions Enter writes a line, and Ctrl+Enter sends', async () => {
  const { person, answers } = await asked([why, how])
  await person.click(screen.getByRole('textbox', { name: 'Why?' }))
  await person.keyboard('a{Enter}b')
  expect(answers).not.toHaveBeenCalled()
  await person.keyboard('{Control>}{Enter}{/Control}')
  expect(answers).toHaveBeenCalledOnce()
})

test('one button skips all questions', async () => {
  const { person, answers, asking } = await asked([how, why])
  await person.click(screen.getByRole('button', { name: 'Skip' }))
  expect(answers).toHaveBeenCalledWith(asking.id, { status: 'skipped' })
})

test('the text remains if it cannot be sent', async () => {
  const { chat, person } = await asked([why])
  await person.type(screen.getByRole('textbox', { name: 'Why?' }), 'For fun{Enter}')
  await waitFor(() => expect(chat.state.get().thread.error).not.toBeNull())
  expect(screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Why?' }).value).toBe('For fun')
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Answer' })
  await waitFor(() => expect(button.disabled).toBe(false))
})

test('answers are shown without the form', async () => {
  const answered = item('structured_input', {
    status: 'answered',
    inputs: [
      { ...how, answer: { values: ['Train', 'Boat'] } },
      { ...why, answer: { skipped: true } },
    ],
  })
  await render(<Questions item={answered} />, () => 404)
  const read = screen.getAllByRole('definition').map((each) => each.textContent)
  expect(read).toEqual(['Train, Boat', 'Skipped'])
  expect(screen.queryByRole('button')).toBeNull()
})

test('after an answer, the focus moves to the composer', async () => {
  const { person, again, chat, asking } = await asked([how])
  const focus = vi.fn()
  chat.focus = focus
  await person.click(screen.getByRole('radio', { name: 'Boat' }))
  again(<Questions item={{ ...asking, status: 'answered' }} />)
  expect(focus).toHaveBeenCalledOnce()
})
