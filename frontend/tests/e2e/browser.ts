/** A real browser with the real server. */

import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'

import {
  chromium,
  type Browser,
  type BrowserContext,
  type FrameLocator,
  type LaunchOptions,
  type Page,
} from 'playwright-core'

import { python } from '../python'
import { PATIENCE } from './patience'

interface Axe {
  axe: {
    run: (
      document: Document,
      options: object,
    ) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Site {
  url: string
  browser: Browser
  contexts: Contexts
  close: () => Promise<void>
}

/** Full Chromium draws letters as users see them; the headless shell is faster. */
const WHOLE = '/usr/bin/chromium'
const SHELL = '/usr/bin/chromium-headless-shell'

/** Return launch options for a browser in which host names resolve to this machine. */
export function browserOptions(names: string[] = [], isWhole = false): LaunchOptions {
  return {
    executablePath: process.env['CHROMIUM'] ?? (!isWhole && existsSync(SHELL) ? SHELL : WHOLE),
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      `--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`).join(',')}`,
    ],
  }
}

/** Open a separate browser for the scripted server. */
export function open(): Promise<Site> {
  return launch((port) => python(['frontend/tests/e2e/scripted_server.py', String(port)]))
}

/** Open a separate browser for a program's site; host names in it resolve to this machine. */
export async function launch(
  start: (port: number) => ChildProcess,
  names: string[] = [],
): Promise<Site> {
  const [browser, { url, stop }] = await Promise.all([
    chromium.launch(browserOptions(names)),
    serve(start),
  ])
  return {
    url,
    browser,
    contexts: new Contexts(browser, url),
    close: async () => {
      await browser.close()
      stop()
    },
  }
}

/** Start a program that serves the chat, and wait until it does. */
export async function serve(
  start: (port: number) => ChildProcess,
): Promise<{ url: string; stop: () => void }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = start(port)
  let log = ''
  server.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()))
  await answering(url, () => {
    if (server.exitCode !== null) throw new Error(`No server: ${log}`)
  })
  return { url, stop: () => server.kill() }
}

/** Wait until a server answers. */
export async function answering(url: string, check = (): void => {}): Promise<void> {
  for (let tries = 0; !(await answers(url)); tries++) {
    check()
    if (tries > 800) throw new Error(`Nothing answers at ${url}.`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

type ContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>

/**
 * Browser contexts that tests reuse: starting the processes of a new one, and compiling the page in
 * them, takes longer than most tests.
 */
export class Contexts {
  #free = new Map<string, BrowserContext[]>()

  constructor(
    readonly browser: Browser,
    readonly url: string,
  ) {}

  /** Return an unused context, and a function that empties it and makes it available again. */
  async take(options: ContextOptions): Promise<[BrowserContext, () => Promise<void>]> {
    const key = JSON.stringify(options)
    const context = this.#free.get(key)?.pop() ?? (await this.#open(options))
    const giveBack = async (): Promise<void> => {
      const [first, ...others] = context.pages()
      await Promise.all(others.map((page) => page.close()))
      await context.unrouteAll({ behavior: 'ignoreErrors' })
      await context.setOffline(false)
      await context.clearCookies()
      await first?.evaluate(() => localStorage.clear())
      this.#free.set(key, [...(this.#free.get(key) ?? []), context])
    }
    return [context, giveBack]
  }

  async #open(options: ContextOptions): Promise<BrowserContext> {
    const context = await this.browser.newContext(options)
    context.setDefaultTimeout(PATIENCE)
    // This page keeps the site's process alive, and clears the storage that tests leave.
    await (await context.newPage()).goto(`${this.url}/healthz`)
    return context
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    (response) => response.ok,
    () => false,
  )
}

/** A user of the full-page chat. */
export class Person {
  readonly chat: FrameLocator
  /** The page's requests to other origins, and its errors. */
  readonly problems: string[] = []

  constructor(
    readonly page: Page,
    origin: string,
    private readonly giveBack: () => Promise<void> = () => page.context().close(),
  ) {
    this.chat = page.frameLocator('iframe')
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(origin) && !/^(data|blob|about):/.test(url)) this.problems.push(url)
    })
    page.on('pageerror', (error) => this.problems.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text())
    })
  }

  static async at(site: Site, options: ContextOptions = {}, path = '/'): Promise<Person> {
    // Below 1,100 pixels, the list of chats is a panel, as it is in other apps' pages.
    const viewport = { width: 1000, height: 720 }
    const [context, leave] = await site.contexts.take({ viewport, ...options })
    const person = new Person(await context.newPage(), site.url, leave)
    await person.page.goto(`${site.url}${path}`)
    await person.composer.waitFor()
    return person
  }

  /** Close the page, and remove everything of this user. */
  leave(): Promise<void> {
    return this.giveBack()
  }

  /** Set the element's options, except for functions. */
  async setOptions(options: object): Promise<void> {
    await this.page.evaluate((given) => {
      const chat = document.querySelector('openai-chatkit') as unknown as {
        setOptions: (options: object) => void
      }
      chat.setOptions({ api: { url: '/chatkit', domainKey: 'local' }, ...given })
    }, options)
  }

  /** Return axe's findings in the chat. The design system's open menus are outside of landmarks. */
  async violations(hasMenu = false): Promise<string[]> {
    const found = await this.#violations(hasMenu)
    if (found.length === 0) return found
    // A busy page reacts late to the size of its parts, for example with focusable scrollers.
    await this.page.waitForTimeout(1_000)
    return this.#violations(hasMenu)
  }

  async #violations(hasMenu: boolean): Promise<string[]> {
    const frame = this.page.frames()[1]
    if (frame === undefined) throw new Error('There is no chat.')
    // Colors in the middle of a transition have too little contrast.
    await frame.evaluate(() => {
      for (const each of document.getAnimations()) {
        if (each instanceof CSSTransition) each.finish()
      }
    })
    if (!(await frame.evaluate(() => 'axe' in window))) await frame.evaluate(axe)
    // In forced colors, axe reads colors that the system has replaced.
    const isForced = await frame.evaluate(() => matchMedia('(forced-colors: active)').matches)
    const options = {
      rules: { region: { enabled: !hasMenu }, 'color-contrast': { enabled: !isForced } },
    }
    return frame.evaluate(async (options) => {
      const { violations } = await (window as unknown as Axe).axe.run(document, options)
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
    }, options)
  }

  get composer() {
    return this.chat.getByRole('textbox', { name: 'Message' })
  }

  button(name: string) {
    return this.chat.getByRole('button', { name, exact: true })
  }

  text(text: string | RegExp) {
    return this.chat.locator('.items').getByText(text).first()
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.chat.locator('.files progress').waitFor({ state: 'detached' })
    // On a phone, Enter starts a new line.
    if (await this.isOnPhone()) await this.button('Send').click()
    else await this.composer.press('Enter')
  }

  isOnPhone(): Promise<boolean> {
    return this.page.evaluate(() => matchMedia('(pointer: coarse) and (hover: none)').matches)
  }

  /** Send a message that the agent answers with a question and a button. */
  async beAsked(text: string, button: string): Promise<void> {
    await this.say(text)
    await this.button(button).waitFor()
    await this.button('Send').waitFor()
  }

  async ask(text: string, answer: string | RegExp): Promise<void> {
    await this.say(text)
    await this.text(answer).waitFor()
    await this.button('Send').waitFor()
  }
}
