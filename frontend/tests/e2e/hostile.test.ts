/** Pages with strict policies. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

test('a page that requires Trusted Types can allow the policies by name', async () => {
  const ann = await Person.at(site)
  await ann.page.route(`${site.url}/`, async (route) => {
    const response = await route.fetch()
    const policy = `${response.headers()['content-security-policy']}; require-trusted-types-for 'script'; trusted-types chatkit ProseMirrorClipboard`
    await route.fulfill({
      response,
      headers: { ...response.headers(), 'content-security-policy': policy },
    })
  })
  await ann.page.reload()
  await ann.say('read')
  await ann.text('Whoever waits').waitFor()
  await ann.chat.locator('.katex-display').waitFor()
  await ann.chat.locator('.code-block').waitFor()
  await ann.composer.evaluate((field) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/html', '<p>One <b>two</b></p>')
    field.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    )
  })
  await ann.page.waitForTimeout(500)
  expect(ann.problems).toEqual([])
  await expect.poll(() => ann.composer.innerText()).toBe('One two')
  await ann.leave()
})

test('a sandbox without an origin is explained', async () => {
  const context = await site.browser.newContext()
  const page = await context.newPage()
  const script = await (await fetch(`${site.url}/chatkit.js`)).text()
  await page.route(`${site.url}/host.html`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><iframe sandbox="allow-scripts" src="/inner.html"></iframe>`,
    }),
  )
  await page.route(`${site.url}/inner.html`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><script>${script.replaceAll('</', '<\\/')}</script><openai-chatkit></openai-chatkit>`,
    }),
  )
  await page.goto(`${site.url}/host.html`)
  await page
    .frameLocator('iframe')
    .getByRole('alert')
    .getByText('allow-same-origin')
    .first()
    .waitFor()
  await context.close()
})
