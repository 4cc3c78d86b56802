/** The states of a chat that users see most, one after the other. */

import type { Person } from './browser'
import { form, show } from './shownWidget'

/** Bring a chat from state to state, and yield the name of each. */
export async function* chatStates(ann: Person): AsyncGenerator<string> {
  yield 'start'
  yield* whileItAnswers(ann)
  yield* answers(ann)
  yield* requests(ann)
  yield* troubles(ann)
  yield* around(ann)
}

async function newChat(ann: Person): Promise<void> {
  await ann.page.keyboard.press('Alt+Shift+N')
  await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
}

async function* whileItAnswers(ann: Person): AsyncGenerator<string> {
  await ann.say('talk')
  await ann.text(/Word 30\./).waitFor()
  await ann.say('Then tell me about the harbor')
  await ann.text('Waiting for the answer to finish').waitFor()
  yield 'writing, with a queued message'
  await ann.page.keyboard.press('Alt+Shift+S')
  await ann.text('This answer was stopped.').waitFor()
  await ann.button('Send now').waitFor()
  yield 'stopped'
  await newChat(ann)
  await ann.say('unfinished')
  await ann.text('Asking the harbor').waitFor()
  yield 'working'
  await ann.button('Stop').click()
  await ann.text('This answer was stopped.').waitFor()
}

async function* answers(ann: Person): AsyncGenerator<string> {
  await newChat(ann)
  await ann.ask('read', 'Whoever waits')
  await ann.chat.locator('.katex-display').waitFor()
  await ann.chat.locator('.markdown pre span[style]').first().waitFor()
  yield 'text'
  await ann.button('Edit').click()
  await ann.chat.getByRole('textbox', { name: 'Edited message' }).waitFor()
  yield 'editing'
  await ann.page.keyboard.press('Escape')
  await newChat(ann)
  await ann.ask('everything', 'The model is busy at the moment.')
  yield 'every kind of item'
  await ann.button('Open image Generated image').click()
  await ann.chat.getByRole('dialog').waitFor()
  yield 'picture'
  await ann.page.keyboard.press('Escape')
}

async function* requests(ann: Person): AsyncGenerator<string> {
  await newChat(ann)
  await ann.ask('think', 'I thought.')
  await ann.beAsked('pay', 'Approve')
  yield 'approval'
  await newChat(ann)
  await ann.beAsked('questions', 'Answer')
  yield 'questions'
  await newChat(ann)
  await show(ann, form)
  await ann.button('Book').click()
  yield 'form'
}

async function* troubles(ann: Person): AsyncGenerator<string> {
  await newChat(ann)
  await ann.say('fail')
  await ann.button('Try again').waitFor()
  yield 'failed'
  await ann.page.route('**/chatkit', (route) => route.fulfill({ status: 500, body: '' }))
  await ann.say('Are you there?')
  await ann.chat.getByText('(500)').waitFor()
  yield 'server error'
  await ann.page.unroute('**/chatkit')
  await ann.composer.fill('')
  await newChat(ann)
  await ann.say('lock')
  await ann.chat.getByText('A colleague takes over.').waitFor()
  yield 'locked'
}

async function* around(ann: Person): AsyncGenerator<string> {
  const search = ann.chat.getByRole('searchbox')
  await ann.page.keyboard.press('Alt+Shift+F')
  await search.waitFor()
  await ann.chat.getByRole('button', { name: 'read', exact: true }).waitFor()
  yield 'chats'
  await search.fill('rain')
  await ann.chat.locator('mark').first().waitFor()
  yield 'found'
  await search.fill('nowhere')
  await ann.chat.getByText('Nothing found.').waitFor()
  yield 'nothing found'
  await ann.page.keyboard.press('Alt+Shift+H')
  await ann.chat.getByRole('dialog').waitFor()
  yield 'shortcuts'
  await ann.page.keyboard.press('Escape')
}
