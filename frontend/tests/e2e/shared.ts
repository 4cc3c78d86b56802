/** The browser and the site that all test files share: vitest starts them before the first. */

import { chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'

import { python } from '../python'
import { browserOptions, freePort } from './browser'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the browser. */
    browser: string
    /** The address of the scripted server, once it has started. */
    site: string
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const port = await freePort()
  // Neither browsers nor tests are in the server's zone.
  const env = { TZ: 'Pacific/Auckland' }
  const server = python(['frontend/tests/e2e/scripted_server.py', String(port)], env)
  server.stderr?.pipe(process.stderr)
  const browser = await chromium.launchServer(browserOptions(['chat.test', 'intranet.test']))
  provide('site', `http://127.0.0.1:${port}`)
  provide('browser', browser.wsEndpoint())
  return async () => {
    await browser.close()
    // It would wait for the streams of closed pages.
    server.kill('SIGKILL')
  }
}
