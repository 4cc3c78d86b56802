/** Answers that continue without the page, on two workers that share a database. */

import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { python } from '../python'
import { answering, freePort, Person } from './browser'
import { openedSite } from './openedSite'
import { PATIENCE } from './patience'

const WORDS = 24

/** The model's output in a step of an answer. */
const written = (said: string, step: number): string =>
  Array.from({ length: WORDS }, (_, number) => `${said} ${step}-${number}. `).join('')

class Worker {
  #process: ChildProcess | null = null

  constructor(
    readonly port: number,
    readonly database: string,
    readonly mode: 'live' | 'plain' = 'live',
  ) {}

  async start(): Promise<void> {
    const args = ['frontend/tests/e2e/live_server.py', String(this.port), this.database, this.mode]
    this.#process = python(args)
    await answering(`http://127.0.0.1:${this.port}`, () => {
      if (this.#process?.exitCode !== null) throw new Error('The worker does not start.')
    })
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<unknown> {
    const child = this.#process
    if (child === null || child.exitCode !== null) return Promise.resolve()
    const gone = new Promise((resolve) => child.on('exit', resolve))
    child.kill(signal)
    return gone
  }
}

/** One address that forwards each connection to a chosen worker. */
class Balancer {
  target = 0
  url = ''
  #sockets = new Set<Socket>()
  #server = createServer((near) => {
    const far = connect(this.target, '127.0.0.1')
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Forward new connections to a worker, and cut those to the others. */
  to(worker: Worker, { cut = true } = {}): void {
    this.target = worker.port
    if (cut) for (const socket of this.#sockets) socket.destroy()
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

const site = openedSite()
let folder: string
let one: Worker
let two: Worker
let plain: Worker
const line = new Balancer()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chatkit-live-'))
  const database = `sqlite:///${join(folder, 'chat.db')}`
  one = new Worker(await freePort(), database)
  two = new Worker(await freePort(), database)
  plain = new Worker(await freePort(), `sqlite:///${join(folder, 'plain.db')}`, 'plain')
  await Promise.all([one.start(), two.start(), plain.start(), line.start()])
  line.to(one)
})
afterAll(async () => {
  line.stop()
  await Promise.all([one?.kill(), two?.kill(), plain?.kill()])
  rmSync(folder, { recursive: true, force: true })
})

async function at(context: BrowserContext, url = line.url): Promise<Person> {
  context.setDefaultTimeout(PATIENCE)
  const person = new Person(await context.newPage(), line.url)
  await person.page.goto(url)
  await person.composer.waitFor()
  return person
}

async function newcomer(): Promise<Person> {
  line.to(one, { cut: false })
  return at(await site.browser.newContext())
}

/** The texts of the answers in view, as they are written. */
async function answers(person: Person): Promise<string[]> {
  const texts = await person.chat.locator('.assistant').allTextContents()
  return texts.map((text) => text.replace(/^Assistant/, '').trim())
}

/** The texts of the messages in view. */
const bubbles = (person: Person): Promise<string[]> =>
  person.chat.locator('.items .bubble').allTextContents()

/** Approve the answer's request, and check that each part appears exactly once. */
async function finish(said: string, ...people: Person[]): Promise<void> {
  const [first] = people
  await first?.button('Approve').click()
  for (const person of people) {
    await person.text(`${said} 2-${WORDS - 1}.`).waitFor()
    const steps = [0, 1, 2].map((step) => written(said, step).trim())
    await expect.poll(() => answers(person)).toEqual(steps)
    await expect.poll(() => bubbles(person)).toEqual([said])
    await expect.poll(() => person.chat.getByRole('alert').allTextContents()).toEqual([])
  }
}

/** The moments of an answer at which something happens. */
const moments = [
  ['the start', (said: string) => `${said} 0-0.`],
  ['the middle', (said: string) => `${said} 1-10.`],
  ['the end', (said: string) => `${said} 1-${WORDS - 1}.`],
] as const

/** Things that happen during an answer; each returns the users that see the answer afterwards. */
const events: Record<string, (ann: Person, said: string) => Promise<Person[]>> = {
  'the page is loaded again': async (ann) => {
    await ann.page.reload()
    return [ann]
  },
  'another chat is opened, and this one again': async (ann, said) => {
    await ann.button('New chat').click()
    await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
    await ann.button(said).click()
    return [ann]
  },
  'the page is closed and opened again': async (ann) => {
    const url = ann.page.url()
    const context = ann.page.context()
    await ann.page.close()
    return [await at(context, url)]
  },
  'another tab shows it': async (ann) => [ann, await at(ann.page.context(), ann.page.url())],
  'another device shows it': async (ann) => {
    line.to(two, { cut: false })
    const storageState = await ann.page.context().storageState()
    return [ann, await at(await site.browser.newContext({ storageState }), ann.page.url())]
  },
  'its worker is killed': async (ann) => {
    await one.kill()
    line.to(two)
    await tryAgain(ann)
    await one.start()
    return [ann]
  },
  'the server is restarted': async (ann) => {
    await one.kill('SIGTERM')
    await one.start()
    await tryAgain(ann)
    return [ann]
  },
}

/** Ask for another answer, if this one had not ended when its worker died. */
async function tryAgain(ann: Person): Promise<void> {
  const again = ann.button('Try again')
  const approve = ann.button('Approve')
  await again.or(approve).first().waitFor()
  if ((await approve.count()) === 0) await again.click()
}

describe.each(Object.entries(events))('an answer is whole when %s', (event, happen) => {
  test.each(moments)('at %s', async (moment, when) => {
    const said = `work ${Object.keys(events).indexOf(event)} ${moment}`
    const ann = await newcomer()
    await ann.say(said)
    await ann.text(when(said)).waitFor()
    const people = await happen(ann, said)
    await finish(said, ...people)
    for (const person of people) await person.page.context().close()
  })
})

test('an answer is whole after ten seconds without a network, at any moment', async () => {
  const people = await Promise.all(moments.map(newcomer))
  await Promise.all(
    moments.map(async ([moment, when], index) => {
      const ann = people[index]!
      const said = `work offline ${moment}`
      await ann.say(said)
      await ann.text(when(said)).waitFor()
      await ann.page.context().setOffline(true)
      line.to(one)
      await ann.page.waitForTimeout(10_000)
      await ann.page.context().setOffline(false)
      await finish(said, ann)
      await ann.page.context().close()
    }),
  )
})

test.each(moments)(
  'on a server that cannot be followed, the text survives a reload, at %s',
  async (moment, when) => {
    const said = `work plainly ${moment}`
    const ann = await at(await site.browser.newContext(), `http://127.0.0.1:${plain.port}`)
    await ann.say(said)
    await ann.text(when(said)).waitFor()
    await ann.page.reload()
    await ann.text(`${said} 0-0.`).waitFor()
    const texts = await answers(ann)
    const whole = [0, 1].map((step) => written(said, step).trim())
    expect(texts.every((text, step) => whole[step]?.startsWith(text))).toBe(true)
    await ann.ask('Hello', 'You said Hello.')
    await expect.poll(() => bubbles(ann)).toEqual([said, 'Hello'])
    await expect.poll(() => ann.chat.getByText('Something went wrong').count()).toBe(0)
    await ann.page.context().close()
  },
)

test('an answer continues while another chat is open, and the list shows it', async () => {
  const ann = await newcomer()
  await ann.page.setViewportSize({ width: 1300, height: 800 })
  await ann.ask('Hello', 'You said Hello.')
  await ann.button('New chat').click()
  await ann.say('work slowly away')
  await ann.text('work slowly away 0-5.').waitFor()
  const list = ann.chat.getByRole('navigation', { name: 'Chats' })
  await list.getByRole('button', { name: 'Hello', exact: true }).click()
  await ann.text('You said Hello.').waitFor()
  const row = list.getByRole('listitem').filter({ hasText: 'work slowly away' })
  await row.getByRole('img', { name: 'Working' }).waitFor()
  await row.getByRole('img', { name: 'New answer' }).waitFor()
  await row.getByRole('button').first().click()
  await finish('work slowly away', ann)
  await expect.poll(() => row.getByRole('img').count()).toBe(0)
  await ann.page.context().close()
})

test('a reopened page, another tab and another device show the same', async () => {
  const ann = await newcomer()
  await ann.ask('Hello', 'You said Hello.')
  await ann.button('New chat').click()
  await ann.say('work everywhere')
  await ann.text('work everywhere 0-3.').waitFor()
  const url = ann.page.url()
  const context = ann.page.context()
  const follows: string[] = []
  context.on('request', (request) => {
    if (request.postData()?.includes('threads.follow')) follows.push(request.url())
  })
  await ann.page.close()
  const again = await at(context, url)
  const tab = await at(context, url)
  line.to(two, { cut: false })
  const device = await at(
    await site.browser.newContext({ storageState: await context.storageState() }),
    url,
  )
  await finish('work everywhere', device, tab, again)
  // Two tabs of one browser need one stream.
  expect(follows).toHaveLength(1)
  await context.close()
  await device.page.context().close()
})

test('stop works from another device', async () => {
  const ann = await newcomer()
  await ann.say('work slowly')
  await ann.text('work slowly 0-3.').waitFor()
  line.to(two, { cut: false })
  const state = await ann.page.context().storageState()
  const device = await at(await site.browser.newContext({ storageState: state }), ann.page.url())
  await device.button('Stop').click()
  for (const person of [device, ann]) {
    await person.text('This answer was stopped.').waitFor()
    await person.button('Send').waitFor()
  }
  await ann.page.reload()
  await ann.text('This answer was stopped.').waitFor()
  await ann.page.context().close()
  await device.page.context().close()
})

test('a message sent offline is delivered when online', async () => {
  const ann = await newcomer()
  await ann.ask('Hello', 'You said Hello.')
  await ann.page.context().setOffline(true)
  await ann.say('Anyone?')
  await ann.text('Reconnecting…').waitFor()
  await ann.page.context().setOffline(false)
  await ann.text('You said Anyone?.').waitFor()
  await expect.poll(() => bubbles(ann)).toEqual(['Hello', 'Anyone?'])
  await ann.page.context().close()
})

test('a reload before a message is confirmed sends it once', async () => {
  const ann = await newcomer()
  await ann.ask('Hello', 'You said Hello.')
  let isSent = false
  await ann.page.route('**/chatkit', async (route) => {
    if (!route.request().postData()?.includes('add_user_message')) return route.continue()
    await route.fetch().catch(() => {})
    isSent = true
  })
  await ann.say('Once')
  await expect.poll(() => isSent).toBe(true)
  await ann.page.unroute('**/chatkit')
  await ann.page.reload()
  await ann.text('You said Once.').waitFor()
  await ann.button('Send').waitFor()
  // The message is shown until the server confirms it, which may be after its answer is in view.
  await expect.poll(() => bubbles(ann)).toEqual(['Hello', 'Once'])
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await ann.page.context().close()
})

test('queued messages are sent one after another, and can be withdrawn', async () => {
  const ann = await newcomer()
  await ann.say('work slowly first')
  await ann.text('work slowly first 0-3.').waitFor()
  for (const text of ['Second', 'Third', 'Fourth']) await ann.say(text)
  const waiting = ann.chat.locator('.waits')
  await waiting.filter({ hasText: 'Third' }).getByRole('button', { name: 'Edit' }).click()
  await expect.poll(() => ann.composer.textContent()).toBe('Third')
  await waiting.filter({ hasText: 'Fourth' }).getByRole('button', { name: 'Delete' }).click()
  // An approval needs the user, so queued messages keep waiting.
  await ann.button('Approve').waitFor()
  await expect.poll(() => waiting.allTextContents()).toHaveLength(1)
  await ann.page.reload()
  await ann.button('Approve').click()
  await ann.text('You said Second.').waitFor()
  await expect.poll(() => bubbles(ann)).toEqual(['work slowly first', 'Second'])
  await expect.poll(() => ann.composer.textContent()).toBe('Third')
  await ann.page.context().close()
})

test('the page reconnects by itself after a server restart', async () => {
  const ann = await newcomer()
  await ann.ask('Hello', 'You said Hello.')
  await one.kill('SIGTERM')
  await one.start()
  await ann.ask('Still there', 'You said Still there.')
  await ann.page.context().close()
})

test('a server that cannot be followed receives no new requests', async () => {
  const asked: string[] = []
  const context = await site.browser.newContext()
  context.on('request', (request) => {
    if (!request.url().endsWith('/chatkit')) return
    const body = JSON.parse(request.postData() ?? '{}') as { type: string; metadata?: object }
    asked.push(body.type, ...Object.keys(body.metadata ?? {}))
  })
  const ann = await at(context, `http://127.0.0.1:${plain.port}`)
  await ann.ask('Hello', 'You said Hello.')
  await ann.page.reload()
  await ann.text('You said Hello.').waitFor()
  asked.length = 0
  await ann.say('work plainly')
  await ann.button('Approve').click()
  await ann.text(`work plainly 2-${WORDS - 1}.`).waitFor()
  await ann.button('Send').waitFor()
  expect(asked).toEqual(['threads.add_user_message', 'threads.custom_action'])
  await context.close()
})
