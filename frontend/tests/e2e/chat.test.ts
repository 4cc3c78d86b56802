import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

async function settled(person: Person): Promise<void> {
  expect(person.problems).toEqual([])
  await person.leave()
}

test('a user asks, gets an answer, reloads the page and continues', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /You said Hello, and I know 1/)
  await ann.ask('Again', /and I know 3/)
  await ann.page.reload()
  await ann.text(/and I know 3/).waitFor()
  await ann.ask('Still', /and I know 5/)
  await settled(ann)
})

test('hostile text of a model is harmless', async () => {
  const ann = await Person.at(site)
  await ann.say('attack')
  await ann.chat.locator('.markdown strong', { hasText: 'and more' }).waitFor()
  const items = ann.chat.locator('.items')
  expect(await ann.page.evaluate(() => 'hacked' in window)).toBe(false)
  for (const hostile of ['script', 'style', 'form', 'img', '[href^="javascript"]', '[onerror]']) {
    await expect.poll(() => items.locator(hostile).count(), { message: hostile }).toBe(0)
  }
  await expect.poll(() => items.getByRole('link').count()).toBe(1)
  await settled(ann)
})

test('a tool runs after approval, and the card has no buttons anymore', async () => {
  const ann = await Person.at(site)
  await ann.say('pay')
  await ann.text('Kari').waitFor()
  await ann.button('Approve').click()
  await ann.text('The tool said: 120 sent to Kari').waitFor()
  await ann.text(/^Approved, /).waitFor()
  await expect.poll(() => ann.button('Approve').count()).toBe(0)
  await settled(ann)
})

test('the page follows the answer until the user scrolls up', async () => {
  const ann = await Person.at(site, { viewport: { width: 390, height: 600 } })
  for (const word of ['think', 'Hello', 'pay']) {
    await ann.say(word)
    await ann.button('Send').waitFor()
  }
  const scroller = ann.chat.locator('.scroller')
  const rest = (): Promise<number> =>
    scroller.evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight)
  await ann.button('Approve').waitFor()
  await expect.poll(rest).toBeLessThan(2)
  await ann.button('Decline').click()
  await ann.button('Send').waitFor()
  await ann.say('talk')
  await ann.text(/Word 100\./).waitFor()
  await expect.poll(rest).toBeLessThan(80)
  await scroller.hover()
  await ann.page.mouse.wheel(0, -300)
  await ann.text(/Word 150\./).waitFor()
  await expect.poll(rest).toBeGreaterThan(200)
  await ann.button('Stop').click()
  await ann.button('Send').waitFor()
  await ann.leave()
})

test('questions can be answered by keyboard', async () => {
  const ann = await Person.at(site)
  await ann.say('ask')
  await ann.chat.getByRole('radio', { name: 'Later' }).focus()
  await ann.page.keyboard.press('Space')
  await ann.chat.getByRole('textbox', { name: 'Why?' }).fill('Because')
  await ann.page.keyboard.press('Tab')
  await ann.page.keyboard.press('Tab')
  await ann.page.keyboard.press('Enter')
  await ann.text(/The tool said: .*Later.*Because/).waitFor()
  await settled(ann)
})

test('a client tool runs in the page', async () => {
  const ann = await Person.at(site)
  await ann.page.evaluate(() => {
    const chat = document.querySelector('openai-chatkit') as HTMLElement & {
      setOptions: (options: object) => void
    }
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      onClientTool: async ({ name }: { name: string }) => ({ city: `Oslo by ${name}` }),
    })
  })
  await ann.ask('locate', /The tool said: \{"city": "Oslo by locate"\}/)
  await settled(ann)
})

test('a page without the client tool informs the agent', async () => {
  const ann = await Person.at(site)
  await ann.ask('locate', /The tool said: Error: This page has no onClientTool/)
  await settled(ann)
})

test('a stopped answer keeps its text', async () => {
  const ann = await Person.at(site)
  await ann.say('talk')
  await ann.text(/Word 5\./).waitFor()
  await ann.button('Stop').click()
  await ann.button('Send').waitFor()
  await ann.page.reload()
  await ann.text(/Word 5\./).waitFor()
  await ann.ask('Hello', /You said/)
  await ann.leave()
})

test('a failed run says so, and can be retried', async () => {
  const ann = await Person.at(site)
  await ann.say('fail')
  const alert = ann.chat.getByRole('alert')
  await alert.waitFor()
  await expect.poll(() => alert.textContent()).toContain('This answer failed.')
  await expect.poll(() => ann.chat.locator('body').textContent()).not.toContain('a secret')
  await ann.button('Send').waitFor()
  await alert.getByRole('button', { name: 'Try again' }).click()
  await alert.waitFor()
  await ann.button('Send').waitFor()
  await ann.ask('Hello', /You said/)
  await settled(ann)
})

test('another answer replaces the previous one', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /and I know 1/)
  await ann.button('Get another answer').click()
  await ann.button('Send').waitFor()
  await ann.text(/and I know 1/).waitFor()
  await expect
    .poll(() =>
      ann.chat
        .locator('.items')
        .getByText(/You said/)
        .count(),
    )
    .toBe(1)
  await expect.poll(() => ann.chat.locator('.items article').count()).toBe(2)
  await ann.button('Good answer').click()
  await expect.poll(() => ann.button('Good answer').getAttribute('aria-pressed')).toBe('true')
  await settled(ann)
})

test('chats are found, renamed and deleted', async () => {
  const ann = await Person.at(site)
  await ann.ask('About whales', /You said/)
  await ann.button('New chat').click()
  await ann.ask('About ships', /You said/)
  await ann.button('Chats').click()
  await ann.chat.getByRole('searchbox').fill('whales')
  await ann.button('About whales').waitFor()
  await expect.poll(() => ann.button('About ships').count()).toBe(0)
  await ann.button('Rename About whales').click()
  await ann.chat.getByRole('textbox', { name: 'Title' }).fill('Great whales')
  await ann.page.keyboard.press('Enter')
  await ann.button('Delete Great whales').click()
  await ann.button('Delete').click()
  await ann.chat.getByText('Nothing found.').waitFor()
  await ann.chat.getByRole('searchbox').fill('')
  await ann.button('About ships').click()
  await ann.text(/You said About ships/).waitFor()
  await settled(ann)
})

test('a failed rename or deletion is reported, and the chat remains', async () => {
  const ann = await Person.at(site)
  await ann.ask('About seals', /You said/)
  await ann.button('Chats').click()
  await ann.page.route('**/chatkit', (route) => route.abort())
  await ann.button('Rename About seals').click()
  await ann.chat.getByRole('textbox', { name: 'Title' }).fill('Seals')
  await ann.page.keyboard.press('Enter')
  await ann.chat.getByRole('alert').getByText('The chat could not be renamed.').waitFor()
  await ann.button('Delete About seals').click()
  await ann.page.keyboard.press('Escape')
  await ann.button('Delete About seals').click()
  await ann.button('Delete').click()
  await ann.chat.getByRole('alert').getByText('The chat could not be deleted.').waitFor()
  await ann.page.keyboard.press('Escape')
  await ann.page.unroute('**/chatkit')
  await ann.ask('Still there', /You said Still there/)
  await ann.leave()
})

test('deleting the open chat keeps the list open', async () => {
  const ann = await Person.at(site)
  await ann.ask('About otters', /You said/)
  await ann.button('Chats').click()
  await ann.button('Delete About otters').click()
  await ann.button('Delete').click()
  await ann.chat.getByText('There are no chats yet.').waitFor()
  await ann.button('Back to the chat').click()
  await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
  await settled(ann)
})

test('a locked or closed chat says why, and accepts no message', async () => {
  const ann = await Person.at(site)
  await ann.say('lock')
  await ann.text(/Locked now/).waitFor()
  await ann.chat.getByText('A colleague takes over.').waitFor()
  await expect.poll(() => ann.composer.count()).toBe(0)
  await ann.button('New chat').click()
  await ann.composer.waitFor()
  await settled(ann)
})

test('the chat uses the requested language and its direction', async () => {
  const ann = await Person.at(site)
  const html = ann.chat.locator('html')
  for (const [locale, direction, words] of [
    ['de-AT', 'ltr', 'Nachricht'],
    ['ar', 'rtl', 'رسالة'],
    ['tlh', 'ltr', 'Message'],
  ] as const) {
    await ann.setOptions({ locale })
    await ann.chat.getByRole('textbox', { name: words }).waitFor()
    await expect.poll(() => html.getAttribute('dir')).toBe(direction)
    await expect.poll(() => html.getAttribute('lang')).toBe(locale)
  }
  await settled(ann)
})

test('an app styles the chat with variables and its own style sheet', async () => {
  const ann = await Person.at(site)
  await ann.page.route('**/own.css', (route) =>
    route.fulfill({ contentType: 'text/css', body: '.greeting { letter-spacing: 7px }' }),
  )
  const styles = (): Promise<string[]> =>
    ann.chat
      .locator('.greeting')
      .evaluate((each) => [
        getComputedStyle(each).letterSpacing,
        getComputedStyle(document.documentElement).getPropertyValue('--chat-radius'),
      ])
  const theme = { css: 'own.css', variables: { '--chat-radius': '3px' } }
  await ann.setOptions({ theme })
  await expect.poll(styles).toEqual(['7px', '3px'])
  await ann.setOptions({ theme: { radius: 'round' } })
  await expect.poll(styles).toEqual(['-0.26px', '16px'])
  await settled(ann)
})

test.each(['light', 'dark'] as const)('tinted grays are still %s', async (colorScheme) => {
  const ann = await Person.at(site)
  const page = (): Promise<number[]> =>
    ann.chat.locator('body').evaluate((each) => {
      const context = document.createElement('canvas').getContext('2d')
      if (context === null) throw new Error('There is no canvas.')
      context.fillStyle = getComputedStyle(each).backgroundColor
      context.fillRect(0, 0, 1, 1)
      return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]
    })
  const applied = (hasTint: boolean): Promise<void> =>
    ann.chat
      .locator(
        `html[data-theme=${colorScheme}]${hasTint ? '[style*="--gray-500"]' : ':not([style*="--gray-500"])'}`,
      )
      .waitFor({ state: 'attached' })
  await ann.setOptions({ theme: { colorScheme } })
  await applied(false)
  const plain = await page()
  for (const shade of [-4, 0, 4]) {
    await ann.setOptions({ theme: { colorScheme } })
    await applied(false)
    const grayscale = { hue: 230, tint: 9, shade }
    await ann.setOptions({ theme: { colorScheme, color: { grayscale } } })
    await applied(true)
    const tinted = await page()
    for (const [index, value] of tinted.entries()) {
      expect(Math.abs(value - (plain[index] ?? 0))).toBeLessThan(32)
    }
  }
  await settled(ann)
})

test('an unreachable server leaves the draft', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /You said/)
  await ann.page.route('**/chatkit', (route) => route.abort())
  await ann.say('Are you there?')
  await ann.chat.getByRole('alert').waitFor()
  await ann.page.unroute('**/chatkit')
  await expect.poll(() => ann.composer.textContent()).toBe('Are you there?')
  await ann.composer.press('Enter')
  await ann.text(/You said Are you there/).waitFor()
  await ann.leave()
})

test('several elements can share a page, and be added and removed', async () => {
  const ann = await Person.at(site)
  await ann.ask('Hello', /You said/)
  await ann.page.evaluate(() => {
    const first = document.querySelector('openai-chatkit') as HTMLElement & {
      setOptions: (options: object) => void
      setThreadId: (threadId: string | null) => Promise<void>
    }
    first.style.height = '50dvh'
    const second = document.createElement('openai-chatkit') as typeof first
    second.style.cssText = 'display:block;height:50dvh'
    second.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      startScreen: { greeting: 'The second' },
    })
    document.body.append(second)
    // Removed and put back, the element continues with its thread.
    first.remove()
    document.body.append(first)
  })
  const [second, first] = [0, 1].map((index) => ann.page.frameLocator(`iframe >> nth=${index}`))
  await second?.getByRole('heading', { name: 'The second' }).waitFor()
  await first
    ?.locator('.items')
    .getByText(/You said Hello/)
    .waitFor()
  await first?.getByRole('textbox', { name: 'Message' }).fill('To the first')
  await first?.getByRole('button', { name: 'Send' }).click()
  await first
    ?.locator('.items')
    .getByText(/You said To the first/)
    .waitFor()
  await expect.poll(() => second?.getByText('To the first').count()).toBe(0)
  await ann.leave()
})

test('invalid options are explained to the developer', async () => {
  const ann = await Person.at(site)
  await ann.setOptions({ api: { getClientSecret: 'x' } })
  await ann.chat.getByText(/this UI talks to your own server/).waitFor()
  await ann.leave()
})
