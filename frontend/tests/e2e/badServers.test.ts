/** Servers with invalid responses. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

const thread = { id: 'thr', created_at: '2026-01-01T00:00:00', items: { data: [] } }
const base = { thread_id: 'thr', created_at: '2026-01-01T00:00:00' }
const message = (id: string, text: string): object => ({
  ...base,
  id,
  type: 'assistant_message',
  content: [{ type: 'output_text', text, annotations: [] }],
})
const sse = (...events: unknown[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const created = { type: 'thread.created', thread }

interface Answer {
  status?: number
  contentType?: string
  body: string
}

async function ask(answer: Answer): Promise<Person> {
  const ann = await Person.at(site)
  await ann.page.route('**/chatkit', (route) =>
    route.fulfill({ contentType: 'text/event-stream', ...answer }),
  )
  await ann.say('Hello')
  return ann
}

test.each<[string, Answer, string]>([
  [
    'an error with a reason',
    { status: 503, body: '{"error": "We are closed today."}' },
    'We are closed today.',
  ],
  ['an error without one', { status: 500, body: '<h1>Oops</h1>' }, 'returned an error (500)'],
  ['a page', { contentType: 'text/html', body: '<h1>Log in</h1>' }, 'cannot be read'],
  ['nothing', { contentType: 'application/json', body: '' }, 'cannot be read'],
])('%s instead of an answer', async (_, answer, words) => {
  const ann = await ask(answer)
  await ann.chat.getByRole('alert').getByText(words).waitFor()
  await expect.poll(() => ann.chat.locator('body').textContent()).not.toContain('Oops')
  // The text is back in the composer, and can be sent when the server works again.
  await ann.page.unroute('**/chatkit')
  await ann.composer.press('Enter')
  await ann.text(/You said Hello/).waitFor()
  await ann.leave()
})

test('unknown, broken, misordered and truncated events are harmless', async () => {
  const delta = { type: 'assistant_message.content_part.text_delta', content_index: 0, delta: 'x' }
  const body = sse(
    { type: 'thread.item.updated', item_id: 'later', update: delta },
    created,
    { type: 'thread.hologram', item: 7 },
    { type: 'thread.item.added' },
    { type: 'thread.item.done', item: { ...base, id: 'odd', type: 'assistant_message' } },
    { type: 'thread.item.done', item: { ...base, id: 'new', type: 'hologram' } },
    { type: 'thread.item.done', item: { ...base, id: 'w', type: 'widget', widget: null } },
    { type: 'thread.item.removed', item_id: 'never' },
    { type: 'thread.item.done', item: message('good', 'All is well.') },
  )
  const ann = await ask({ body: `data: {"type"\n\n: hm\n\n${body}data: {"type":"thread.it` })
  await ann.text('All is well.').waitFor()
  await ann.text('This part cannot be shown.').waitFor()
  await ann.leave()
})

test('a five megabyte message', async () => {
  const text = `${'All work and no play makes Jack a dull boy. '.repeat(120)}\n\n`.repeat(1000)
  const item = message('long', `${text}The end.`)
  const ann = await ask({ body: sse(created, { type: 'thread.item.done', item }) })
  await ann.text('The end.').waitFor()
  await ann.composer.fill('Go on')
  await expect.poll(() => ann.button('Send').isEnabled()).toBe(true)
  await ann.leave()
})

test('a thread that cannot be loaded can be retried', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /You said Hello/)
  await ann.page.route('**/chatkit', (route) => route.fulfill({ status: 500, body: '' }))
  await ann.page.reload()
  await ann.chat.getByRole('alert').getByText('returned an error (500)').waitFor()
  await ann.page.unroute('**/chatkit')
  await ann.button('Try again').click()
  await ann.text(/You said Hello/).waitFor()
  await expect.poll(() => ann.chat.getByRole('alert').count()).toBe(0)
  await ann.leave()
})

test('a missing thread leads to a new one', async () => {
  const ann = await Person.at(site)
  await ann.page.goto(`${site.url}/?thread=thr_gone`)
  await ann.chat.getByRole('alert').waitFor()
  await ann.button('New chat').click()
  await ann.ask('Hello', /You said Hello/)
  await ann.leave()
})
