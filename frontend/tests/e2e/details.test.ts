/** Small details that users notice. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

test('on a phone, Enter starts a new line, and touch targets are large', async () => {
  const ann = await Person.at(site, phone)
  await ann.composer.tap()
  await ann.page.keyboard.type('One')
  await ann.page.keyboard.press('Enter')
  await ann.page.keyboard.type('Two')
  await ann.button('Send').tap()
  await ann.text(/You said One\s+Two/).waitFor()
  await ann.button('Send').waitFor()
  await ann.beAsked('pay', 'Approve')
  await ann.button('Edit').last().tap()
  await ann.button('Cancel').waitFor()
  const targets = '.icon-button, .send, .edit-actions button, .widget-card-actions button'
  const small = await ann.chat.locator(targets).evaluateAll((buttons) =>
    buttons
      .map((each) => each.getBoundingClientRect())
      .filter(({ width, height }) => width > 0 && Math.min(width, height) < 44)
      .map(({ width, height }) => `${width} x ${height}`),
  )
  expect(small).toEqual([])
  expect(await ann.violations()).toEqual([])
  await ann.leave()
})

test('fonts come from the host, and a theme may choose others', async () => {
  const ann = await Person.at(site)
  const fonts: string[] = []
  ann.page.on('request', (request) => request.url().endsWith('.woff2') && fonts.push(request.url()))
  await ann.page.reload()
  await ann.ask('Hello', /You said Hello/)
  await expect.poll(() => fonts.filter((each) => each.includes('inter')).length).toBe(1)
  await ann.page.route('**/page.json', (route) =>
    route.fulfill({ json: { theme: { typography: { fontFamily: 'system-ui' } } } }),
  )
  await ann.page.reload()
  await ann.text(/You said Hello/).waitFor()
  const family = (): Promise<string> =>
    ann.chat.locator('body').evaluate((body) => getComputedStyle(body).fontFamily)
  await expect.poll(family).toBe('system-ui')
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test("times are in the reader's time zone", async () => {
  const timezoneId = 'Asia/Kathmandu'
  const ann = await Person.at(site, { timezoneId, locale: 'en-US' })
  await ann.ask('Hello', /You said Hello/)
  const times = async (): Promise<void> => {
    const shown = ann.chat.locator('.items time')
    await expect.poll(() => shown.count()).toBe(2)
    for (const time of await shown.all()) {
      const at = new Date((await time.getAttribute('datetime')) ?? '')
      expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(10 * 60_000)
      const format = new Intl.DateTimeFormat('en-US', { timeStyle: 'short', timeZone: timezoneId })
      await expect.poll(() => time.textContent()).toBe(format.format(at))
    }
  }
  await times()
  await ann.page.reload()
  await ann.text(/You said Hello/).waitFor()
  await times()
  await ann.leave()
})

test('pasting HTML without plain text inserts the text', async () => {
  const ann = await Person.at(site)
  await ann.composer.focus()
  await ann.composer.evaluate((field) => {
    const clipboardData = new DataTransfer()
    const html = '<p>One <b>two</b></p><script>parent.hacked = 1</script><p>three<br>four</p>'
    clipboardData.setData('text/html', html)
    field.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    )
  })
  await expect.poll(() => ann.composer.innerText()).toBe('One two\n\nthree\n\nfour')
  expect(await ann.page.evaluate(() => 'hacked' in window)).toBe(false)
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test("the tag button's character is removed if no tag is chosen", async () => {
  const ann = await Person.at(site)
  await ann.page.evaluate(() => {
    const chat = document.querySelector('openai-chatkit') as HTMLElement & {
      setOptions: (o: object) => void
    }
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      entities: { onTagSearch: () => [{ id: '1', title: 'Oslo' }], showComposerMenu: true },
    })
  })
  await ann.composer.fill('To ')
  await ann.button('Mention').click()
  await ann.chat.getByRole('option', { name: 'Oslo' }).waitFor()
  await ann.page.keyboard.press('Escape')
  await expect.poll(async () => (await ann.composer.innerText()).trim()).toBe('To')
  await ann.page.keyboard.type('@')
  await ann.chat.getByRole('option', { name: 'Oslo' }).waitFor()
  await ann.page.keyboard.press('Escape')
  await expect.poll(() => ann.composer.innerText()).toContain('@')
  await ann.leave()
})

test('in a page from right to left, English titles and the numbers of sources are on the right', async () => {
  const ann = await Person.at(site)
  await ann.page.frames()[1]?.evaluate(() => (document.documentElement.dir = 'rtl'))
  await ann.ask('read', 'Whoever waits')
  /** Return the pixels between the text of an element and the right edge of one that contains it. */
  const toTheRight = (element: Element, outer: string): number => {
    const range = new Range()
    range.selectNodeContents(element)
    const edge = element.closest(outer)?.getBoundingClientRect().right ?? 0
    return edge - range.getBoundingClientRect().right
  }
  const title = ann.chat.locator('.header-title')
  expect(await title.evaluate(toTheRight, '.header')).toBeLessThan(30)
  const number = ann.chat.locator('.sources .source-number').first()
  expect(await number.evaluate(toTheRight, '.source')).toBeLessThan(15)
  await ann.button('Chats').click()
  const listed = ann.chat.locator('.history-title > span').first()
  expect(await listed.evaluate(toTheRight, 'li')).toBeLessThan(30)
  await ann.leave()
})
