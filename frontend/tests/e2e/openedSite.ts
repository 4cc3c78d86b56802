/** The site that the tests of a file share; benchmarks open one without a test runner. */

import { afterAll, beforeAll } from 'vitest'

import { open, type Site } from './browser'

/** Return a site that is open while the tests of this file run. */
export function openedSite(): Site {
  let site: Site | undefined
  beforeAll(async () => {
    site = await open()
  }, 60_000)
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
    close: () => opened().close(),
  }
}
