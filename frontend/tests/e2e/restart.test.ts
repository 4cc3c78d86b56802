/** A server made with ChatKit alone that dies during an answer and starts again. */

import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { python } from '../python'
import { answering, freePort, Person } from './browser'
import { openedSite } from './openedSite'
import { PATIENCE } from './patience'

const LOST = 'The connection to the server was lost.'
const folder = mkdtempSync(join(tmpdir(), 'stock-'))
const site = openedSite()
let port: number
let url: string
let server: ChildProcess

async function start(): Promise<void> {
  const database = `sqlite:///${join(folder, 'chat.db')}`
  server = python(['frontend/tests/e2e/stock_server.py', String(port), database])
  await answering(url, () => {
    if (server.exitCode !== null) throw new Error('The server does not start.')
  })
}

function kill(): Promise<unknown> {
  const gone = new Promise((resolve) => server.on('exit', resolve))
  server.kill('SIGKILL')
  return gone
}

beforeAll(async () => {
  port = await freePort()
  url = `http://127.0.0.1:${port}`
  await start()
})
afterAll(async () => {
  await kill()
  rmSync(folder, { recursive: true, force: true })
})

async function newcomer(): Promise<Person> {
  const context = await site.browser.newContext()
  context.setDefaultTimeout(PATIENCE)
  const person = new Person(await context.newPage(), url)
  await person.page.goto(url)
  await person.composer.waitFor()
  return person
}

/** The model's output in a step of an answer. */
const written = (said: string, step: number): string =>
  Array.from({ length: 20 }, (_, number) => `${said} ${step}-${number}.`).join(' ')

async function answers(person: Person): Promise<string[]> {
  const texts = await person.chat.locator('.assistant').allTextContents()
  return texts.map((text) => text.replace(/^Assistant/, '').trim())
}

/** Check that the question and its answer are shown once, and that the chat continues. */
async function isWhole(ann: Person, said: string): Promise<void> {
  const steps = [written(said, 0), written(said, 1)]
  await expect.poll(() => answers(ann)).toEqual(steps)
  await ann.button('Send').waitFor()
  await expect.poll(() => ann.chat.locator('.items .bubble').allTextContents()).toEqual([said])
  await expect.poll(() => ann.chat.getByText(LOST).count()).toBe(0)
  await ann.page.reload()
  await expect.poll(() => answers(ann)).toEqual(steps)
  await ann.page.context().close()
}

/** The moments of an answer at which the server dies. */
const moments: [string, (said: string) => string][] = [
  ['the start', (said) => `${said} 0-0.`],
  ['the middle', (said) => `${said} 1-3.`],
]

test.each(moments)(
  'an answer that the server lost at %s can be requested again',
  async (at, when) => {
    const said = `Lost at ${at}`
    const ann = await newcomer()
    await ann.say(said)
    await ann.text(when(said)).waitFor()
    await kill()
    await ann.text(LOST).waitFor()
    // The text so far stays in view, even if the server is not back yet.
    await ann.text(when(said)).waitFor()
    await ann.button('Try again').click()
    await ann.text('The server cannot be reached.').waitFor()
    await ann.text(when(said)).waitFor()
    await start()
    await ann.button('Try again').click()
    await isWhole(ann, said)
  },
)

/** Wait until the server has stored a whole answer, while its stream is still open. */
async function stored(said: string): Promise<void> {
  const post = async (type: string, params: object): Promise<{ data: { id: string }[] }> => {
    const init = { method: 'POST', body: JSON.stringify({ type, params }) }
    return (await fetch(`${url}/chatkit`, init)).json() as Promise<{ data: { id: string }[] }>
  }
  const text = async (): Promise<string> => {
    const [thread] = (await post('threads.list', { limit: 1, order: 'desc' })).data
    return JSON.stringify(await post('items.list', { thread_id: thread?.id }))
  }
  await expect.poll(text).toContain(written(said, 1))
}

/** Record the types of a page's requests. */
function record(ann: Person): string[] {
  const asked: string[] = []
  ann.page.on('request', (request) => {
    const { type } = JSON.parse(request.postData() ?? '{}') as { type?: string }
    if (type !== undefined) asked.push(type)
  })
  return asked
}

test('Try again keeps an answer that the server has', async () => {
  const said = 'Kept'
  const ann = await newcomer()
  const asked = record(ann)
  await ann.say(said)
  await ann.text(`${said} 1-19.`).waitFor()
  await stored(said)
  await kill()
  await ann.text(LOST).waitFor()
  await start()
  await ann.button('Try again').click()
  await isWhole(ann, said)
  expect(asked).not.toContain('threads.retry_after_item')
})

/** Kill the server and start it again, while the page's requests wait. */
async function restart(ann: Person): Promise<void> {
  await ann.page.route('**/chatkit', async (route) => {
    await answering(url)
    await route.continue()
  })
  await kill()
  await start()
  await ann.text(LOST).waitFor()
}

test.each(moments)('Try again works after an immediate restart at %s', async (at, when) => {
  const said = `Back at ${at}`
  const ann = await newcomer()
  await ann.say(said)
  await ann.text(when(said)).waitFor()
  await restart(ann)
  await ann.button('Try again').click()
  await isWhole(ann, said)
})

test('an immediate restart with the whole answer needs no retry', async () => {
  const said = 'Back with it'
  const ann = await newcomer()
  await ann.say(said)
  await ann.text(`${said} 1-19.`).waitFor()
  await stored(said)
  await restart(ann)
  await expect.poll(() => ann.button('Try again').count()).toBe(0)
  await ann.page.reload()
  await isWhole(ann, said)
})
