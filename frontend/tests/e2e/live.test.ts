/** Answers that go on without the page, on two workers that share a database. */

import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { python } from '../python'
import { freePort, Person } from './browser'

const WORDS = 60

/** What the model writes in a step of an answer. */
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
    for (let tries = 0; !(await this.#answers()); tries++) {
      if (tries > 300 || this.#process.exitCode !== null)
        throw new Error('The worker does not start.')
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  }

  async #answers(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.port}/healthz`).then(
      (response) => response.ok,
      () => false,
    )
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<unknown> {
    const child = this.#process
    if (child === null || child.exitCode !== null) return Promise.resolve()
    const gone = new Promise((resolve) => child.on('exit', resolve))
    child.kill(signal)
    return gone
  }
}

/** One address, behind which a worker is chosen for each connection. */
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

  /** Lead new connections to a worker, and cut those to others. */
  to(worker: Worker, { cut = true } = {}): void {
    this.target = worker.port
    if (cut) for (const socket of this.#sockets) socket.destroy()
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

let browser: Browser
let folder: string
let one: Worker
let two: Worker
const line = new Balancer()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chatkit-live-'))
  const database = `sqlite:///${join(folder, 'chat.db')}`
  one = new Worker(await freePort(), database)
  two = new Worker(await freePort(), database)
  await Promise.all([one.start(), two.start(), line.start()])
  line.to(one)
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  line.stop()
  await Promise.all([one?.kill(), two?.kill()])
  rmSync(folder, { recursive: true, force: true })
})

async function at(context: BrowserContext, url = line.url): Promise<Person> {
  context.setDefaultTimeout(30_000)
  const person = new Person(await context.newPage(), line.url)
  await person.page.goto(url)
  await person.composer.waitFor()
  return person
}

async function newcomer(): Promise<Person> {
  line.to(one, { cut: false })
  return at(await browser.newContext())
}

/** The texts of the answers in view, as they are written. */
async function answers(person: Person): Promise<string[]> {
  const texts = await person.chat.locator('.assistant').allTextContents()
  return texts.map((text) => text.replace(/^Assistant/, '').trim())
}

/** Approve what the answer comes to, and check that all of it is there once. */
async function finish(said: string, ...people: Person[]): Promise<void> {
  const [first] = people
  await first?.button('Approve').click()
  for (const person of people) {
    await person.text(`${said} 2-${WORDS - 1}.`).waitFor()
    const steps = [0, 1, 2].map((step) => written(said, step).trim())
    await expect.poll(() => answers(person), { timeout: 20_000 }).toEqual(steps)
    const asked = await person.chat.locator('.items .bubble').allTextContents()
    expect(asked).toEqual([said])
    expect(await person.chat.getByRole('alert').count()).toBe(0)
  }
}

/** The moments of an answer at which something may happen to it. */
const moments = [
  ['the start', (said: string) => `${said} 0-0.`],
  ['the middle', (said: string) => `${said} 1-10.`],
  ['the end', (said: string) => `${said} 1-59.`],
] as const

test.each(moments)(
  'an answer goes on while its page is loaded again, at %s',
  async (name, when) => {
    const said = `work ${name}`
    const ann = await newcomer()
    await ann.say(said)
    await ann.text(when(said)).waitFor()
    await ann.page.reload()
    await finish(said, ann)
    await ann.page.context().close()
  },
)

test('an answer goes on while another chat is open, and the list says so', async () => {
  const ann = await newcomer()
  await ann.page.setViewportSize({ width: 1300, height: 800 })
  await ann.ask('Hello', 'You said Hello.')
  await ann.button('New chat').click()
  await ann.say('work away')
  await ann.text('work away 0-5.').waitFor()
  const list = ann.chat.getByRole('navigation', { name: 'Chats' })
  await list.getByRole('button', { name: 'Hello', exact: true }).click()
  await ann.text('You said Hello.').waitFor()
  const row = list.getByRole('listitem').filter({ hasText: 'work away' })
  await row.getByRole('img', { name: 'Working' }).waitFor()
  await row.getByRole('img', { name: 'New answer' }).waitFor()
  await row.getByRole('button').first().click()
  await finish('work away', ann)
  expect(await row.getByRole('img').count()).toBe(0)
  await ann.page.context().close()
})

test('a page that is closed and opened again, another tab, and another device show the same', async () => {
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
    await browser.newContext({ storageState: await context.storageState() }),
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
  await ann.say('work no more')
  await ann.text('work no more 0-3.').waitFor()
  line.to(two, { cut: false })
  const state = await ann.page.context().storageState()
  const device = await at(await browser.newContext({ storageState: state }), ann.page.url())
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

test('ten seconds without a network', async () => {
  const ann = await newcomer()
  await ann.say('work offline')
  await ann.text('work offline 0-3.').waitFor()
  await ann.page.context().setOffline(true)
  line.to(one)
  await ann.text('Reconnecting…').waitFor()
  await ann.page.waitForTimeout(10_000)
  await ann.page.context().setOffline(false)
  await finish('work offline', ann)
  await ann.page.context().close()
})

test('a message that is sent without a network goes when there is one', async () => {
  const ann = await newcomer()
  await ann.ask('Hello', 'You said Hello.')
  await ann.page.context().setOffline(true)
  await ann.say('Anyone?')
  await ann.text('Reconnecting…').waitFor()
  await ann.page.context().setOffline(false)
  await ann.text('You said Anyone?.').waitFor()
  expect(await ann.chat.locator('.items .bubble').allTextContents()).toEqual(['Hello', 'Anyone?'])
  await ann.page.context().close()
})

test('a page that reloads before it hears that a message was taken sends it once', async () => {
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
  expect(await ann.chat.locator('.items .bubble').allTextContents()).toEqual(['Hello', 'Once'])
  expect(await ann.composer.textContent()).toBe('')
  await ann.page.context().close()
})

test('messages that wait go one after the other, and can be taken back', async () => {
  const ann = await newcomer()
  await ann.say('work first')
  await ann.text('work first 0-3.').waitFor()
  for (const text of ['Second', 'Third', 'Fourth']) await ann.say(text)
  const waiting = ann.chat.locator('.waits')
  await waiting.filter({ hasText: 'Third' }).getByRole('button', { name: 'Edit' }).click()
  await expect.poll(() => ann.composer.textContent()).toBe('Third')
  await waiting.filter({ hasText: 'Fourth' }).getByRole('button', { name: 'Delete' }).click()
  // An approval is for the person: what waits does so on.
  await ann.button('Approve').waitFor()
  expect(await waiting.allTextContents()).toHaveLength(1)
  await ann.page.reload()
  await ann.button('Approve').click()
  await ann.text('You said Second.').waitFor()
  expect(await ann.chat.locator('.items .bubble').allTextContents()).toEqual([
    'work first',
    'Second',
  ])
  expect(await ann.composer.textContent()).toBe('Third')
  await ann.page.context().close()
})

test('a worker is killed: the answer says so, and is tried again on another', async () => {
  const ann = await newcomer()
  await ann.say('work on')
  await ann.text('work on 0-20.').waitFor()
  await one.kill()
  line.to(two)
  await ann.text('This answer was interrupted.').waitFor()
  await ann.button('Try again').click()
  await finish('work on', ann)
  await ann.page.context().close()
  await one.start()
})

test('the server is restarted: the page comes back by itself', async () => {
  const ann = await newcomer()
  await ann.ask('Hello', 'You said Hello.')
  await one.kill('SIGTERM')
  await one.start()
  await ann.ask('Still there', 'You said Still there.')
  await ann.page.context().close()
})

test('a server that cannot be followed is asked for nothing new', async () => {
  const plain = new Worker(await freePort(), `sqlite:///${join(folder, 'plain.db')}`, 'plain')
  await plain.start()
  const asked: string[] = []
  const context = await browser.newContext()
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
  await ann.text('work plainly 2-59.').waitFor()
  await ann.button('Send').waitFor()
  expect(asked).toEqual(['threads.add_user_message', 'threads.custom_action'])
  await context.close()
  await plain.kill()
})
