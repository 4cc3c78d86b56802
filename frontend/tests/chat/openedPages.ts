/** Pages that follow a server in memory, and are closed when the test ends. */

import { afterEach, beforeEach, expect } from 'vitest'

import { type LiveServer, open, type Page } from './liveServer'

export const eventually = { timeout: 20_000, interval: 10 }
let pages: Page[] = []

beforeEach(() => {
  sessionStorage.clear()
  localStorage.clear()
})
afterEach(async () => {
  await Promise.all(pages.map(({ chat }) => chat.setThreadId(null)))
  pages = []
  Reflect.deleteProperty(navigator, 'locks')
})

/** Open a page. */
export async function page(...given: Parameters<typeof open>): Promise<Page> {
  const opened = await open(...given)
  pages.push(opened)
  return opened
}

/** Open a page that follows the server's thread, which has one answered message. */
export async function following(server: LiveServer): Promise<Page> {
  server.begin('Before')
  server.finish()
  const opened = await page(server)
  await opened.chat.setThreadId('t1')
  await expect.poll(() => server.follows, eventually).toBe(1)
  return opened
}

export const isResponding = ({ chat }: Page): boolean => chat.state.get().isResponding

export const shows = (shown: Page, texts: string[]): Promise<void> =>
  expect.poll(shown.texts, eventually).toEqual(texts) as unknown as Promise<void>
