/** The site that the tests of a file use; benchmarks open one without a test runner. */

import type { ChildProcess } from 'node:child_process'

import { chromium } from 'playwright-core'
import { afterAll, beforeAll, inject } from 'vitest'

import { answering, browserOptions, Contexts, serve, type Site } from './browser'

/** Return a site for the tests of this file: the shared one, or that of a program. */
export function openedSite(start?: (port: number) => ChildProcess, isWhole = false): Site {
  let site: Site | undefined
  beforeAll(async () => {
    // Only full Chromium has microphones, and draws letters as users see them.
    const browser = isWhole
      ? await chromium.launch(browserOptions([], true))
      : await chromium.connect(inject('browser'))
    const own = start === undefined ? null : await serve(start)
    const url = own?.url ?? inject('site')
    await answering(url)
    site = {
      url,
      browser,
      contexts: new Contexts(browser, url),
      close: async () => {
        await browser.close()
        own?.stop()
      },
    }
  })
  afterAll(() => site?.close())
  const opened = (): Site => {
    if (site === undefined) throw new Error('The site is open only while tests run.')
    return site
  }
  return {
    get url() {
      return opened().url
    },
    get browser() {
      return opened().browser
    },
    get contexts() {
      return opened().contexts
    },
    close: () => opened().close(),
  }
}
