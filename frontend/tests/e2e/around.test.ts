/** Around the thread: themes, frames of every size, print, and use without a mouse. */

import type { OpenAIChatKit } from '@openai/chatkit'
import type { Browser, Locator } from 'playwright-core'
import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

/** Check accessibility, and that nothing is wider than the frame. */
async function check(person: Person, state: string): Promise<void> {
  const frame = person.page.frames()[1]
  expect(await person.violations(), state).toEqual([])
  const isWide = await frame?.evaluate(() => document.body.scrollWidth > window.innerWidth)
  expect(isWide, state).toBe(false)
}

type Context = NonNullable<Parameters<Browser['newContext']>[0]>

const looks: [name: string, context: Context, options: object][] = [
  ['light', { viewport: { width: 1000, height: 800 } }, { theme: 'light' }],
  ['dark, very narrow', { viewport: { width: 280, height: 500 } }, { theme: 'dark' }],
  [
    'a phone, from right to left',
    { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    { locale: 'ar' },
  ],
  ['in the colors of the system', { forcedColors: 'active' }, {}],
]

const hasFocus = (element: Locator): Promise<void> =>
  expect.poll(() => element.evaluate((each) => each === document.activeElement)).toBe(true)

function callMethod(ann: Person, name: 'showHistory' | 'hideHistory'): Promise<void> {
  return ann.page.evaluate((method) => {
    const chat = document.querySelector('openai-chatkit') as unknown as OpenAIChatKit
    return chat[method]()
  }, name)
}

test.each(looks)('axe finds nothing around the thread: %s', async (_, context, options) => {
  const ann = await Person.at(site, context)
  const prompts = [
    { label: 'Where is my order, which I made three weeks ago?', prompt: 'x', icon: 'suitcase' },
    { label: 'Hello', prompt: 'Hello', icon: 'lucide:bird' },
  ]
  const all = {
    disclaimer: { text: 'It may be **wrong**: [terms](https://example.com).' },
    header: { title: { text: 'A help desk with a name that is longer than there is room for' } },
    startScreen: { prompts },
    ...options,
  }
  const chat = (method: 'showHistory' | 'hideHistory') => callMethod(ann, method)
  await ann.setOptions(all)
  await ann.chat.locator('.prompt svg').nth(1).waitFor()
  await check(ann, 'start')
  await chat('showHistory')
  await ann.chat.locator('.history [role=status]:not(:empty)').waitFor()
  await check(ann, 'no chats')
  await chat('hideHistory')
  await ann.chat.locator('.prompt').nth(1).click()
  await ann.text(/You said/).waitFor()
  await chat('showHistory')
  await ann.chat.locator('.history-title').waitFor()
  await check(ann, 'chats')
  await ann.chat.locator('.history li .icon-button').nth(0).click()
  await check(ann, 'renaming')
  await ann.page.keyboard.press('Escape')
  await ann.chat.locator('.history li .icon-button').nth(1).click()
  await check(ann, 'deleting')
  await ann.chat.locator('.history-confirm .danger').hover()
  await check(ann, 'deleting, pointed at')
  await ann.page.keyboard.press('Escape')
  await chat('hideHistory')
  // A server that cannot be reached at all is asked again for some seconds.
  await ann.page.route('**/chatkit', (route) => route.fulfill({ status: 502 }))
  await chat('showHistory')
  await ann.chat.locator('.history [role=alert]').waitFor()
  await check(ann, 'chats that cannot be loaded')
  await chat('hideHistory')
  await ann.composer
    .or(ann.chat.locator('.composer [role=textbox], .composer textarea'))
    .first()
    .fill('Hello')
  await ann.chat.locator('.composer .send').click()
  await ann.chat.getByRole('alert').waitFor()
  await check(ann, 'a server that is gone')
  await ann.setOptions({ ...all, theme: { radius: 'huge' } })
  await ann.chat.locator('.option-problem').waitFor()
  await check(ann, 'an option that is wrong')
  await ann.setOptions({ ...all, api: {} })
  await ann.chat.getByText(/api.url is missing/).waitFor()
  await check(ann, 'no server')
  await ann.leave()
})

test.each(['light', 'dark'] as const)('any accent color is readable, %s', async (colorScheme) => {
  const ann = await Person.at(site)
  await ann.ask('See [a page](https://example.com)', 'a page')
  for (const primary of [
    '#ffffff',
    '#000000',
    '#ffee00',
    '#ff0000',
    '#00ff88',
    '#0000ff',
    '#808080',
    'rebeccapurple',
  ]) {
    for (const level of [1, 3]) {
      const color = { accent: { primary, level }, grayscale: { hue: 220, tint: 6, shade: -4 } }
      await ann.setOptions({ theme: { colorScheme, color } })
      await check(ann, `${primary}, level ${level}`)
    }
  }
  await ann.leave()
})

test('grays keep the color scheme in another hue', async () => {
  const ann = await Person.at(site)
  const surface = (): Promise<number[]> =>
    ann.chat.locator('body').evaluate((body) => {
      const context = document.createElement('canvas').getContext('2d')!
      context.fillStyle = getComputedStyle(body).backgroundColor
      context.fillRect(0, 0, 1, 1)
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
    })
  await ann.setOptions({
    theme: { colorScheme: 'dark', color: { grayscale: { hue: 220, tint: 9 } } },
  })
  await expect.poll(async () => (await surface())[2]).toBeLessThan(80)
  const [red = 255, , blue = 255] = await surface()
  expect(blue).toBeGreaterThan(red)
  await ann.setOptions({ theme: 'light' })
  await expect.poll(() => surface()).toEqual([255, 255, 255])
  await ann.leave()
})

test("an app's fonts and sizes are used", async () => {
  const ann = await Person.at(site)
  const asked: string[] = []
  await ann.page.route('**/fonts/**', (route) => {
    asked.push(new URL(route.request().url()).pathname)
    return route.fulfill({ status: 404 })
  })
  const typography = {
    baseSize: 18,
    fontFamily: 'Own, serif',
    fontSources: [{ family: 'Own', src: '/fonts/own.woff2', weight: 400 }],
  }
  await ann.setOptions({ theme: { typography, density: 'spacious', radius: 'sharp' } })
  const style = (): Promise<object> =>
    ann.chat.locator('body').evaluate((body) => {
      const { fontFamily, fontSize } = getComputedStyle(body)
      const variable = (name: string): string => getComputedStyle(body).getPropertyValue(name)
      const [gap, radius] = [variable('--chat-gap'), variable('--chat-radius')]
      return { fontFamily, fontSize, gap, radius }
    })
  const expected = { fontFamily: 'Own, serif', fontSize: '18px', gap: '32px', radius: '2px' }
  await expect.poll(style).toEqual(expected)
  await expect.poll(() => asked).toEqual(['/fonts/own.woff2'])
  await ann.leave()
})

test('a phone does not zoom in, and shows the composer above its keyboard', async () => {
  const ann = await Person.at(site, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  })
  await ann.setOptions({ theme: { typography: { baseSize: 14 } } })
  await ann.composer.tap()
  const size = await ann.composer.evaluate((each) => parseFloat(getComputedStyle(each).fontSize))
  expect(size).toBeGreaterThanOrEqual(16)
  await ann.page.setViewportSize({ width: 390, height: 420 })
  const bottom = async (): Promise<number> => {
    const box = await ann.button('Send').boundingBox()
    return (box?.y ?? 999) + (box?.height ?? 0)
  }
  await expect.poll(bottom).toBeLessThanOrEqual(420)
  await ann.leave()
})

test('the whole thread is printed', async () => {
  const ann = await Person.at(site, { viewport: { width: 800, height: 500 } })
  await ann.say('read')
  await ann.text('Whoever waits').waitFor()
  await ann.button('Send').waitFor()
  for (const number of [1, 2, 3])
    await ann.ask(`Hello ${number}`, new RegExp(`You said Hello ${number}`))
  const height = (): Promise<number> =>
    ann.page.locator('iframe').evaluate((each) => each.clientHeight)
  await expect.poll(() => height()).toBe(500)
  await ann.page.emulateMedia({ media: 'print' })
  await ann.page.evaluate(() => dispatchEvent(new Event('beforeprint')))
  const whole = (): Promise<number> =>
    ann.chat.locator('.items').evaluate((each) => each.scrollHeight)
  await expect.poll(whole).toBeGreaterThan(800)
  await expect.poll(async () => (await height()) - (await whole())).toBeGreaterThanOrEqual(0)
  await ann.page.evaluate(() => dispatchEvent(new Event('afterprint')))
  await ann.page.emulateMedia({ media: 'screen' })
  await expect.poll(() => height()).toBe(500)
  await ann.leave()
})

test('everything around the thread works by keyboard', async () => {
  const ann = await Person.at(site)
  await ann.ask('About whales', /You said/)
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await ann.page.keyboard.press(key)
  }
  await ann.button('Chats').focus()
  await press('Enter')
  await hasFocus(ann.chat.getByRole('searchbox'))
  await ann.button('About whales').waitFor()
  await press('ArrowDown', 'Tab', 'Enter')
  await hasFocus(ann.chat.getByRole('textbox', { name: 'Title' }))
  await ann.page.keyboard.type('Whales')
  await press('Enter')
  await hasFocus(ann.button('Whales'))
  await press('Tab', 'Tab', 'Enter')
  await hasFocus(ann.button('Keep'))
  await press('Escape')
  await hasFocus(ann.button('Whales'))
  await press('Escape')
  await ann.text(/You said About whales/).waitFor()
  // After leaving the list, the user continues writing.
  await hasFocus(ann.composer)
  await ann.page.keyboard.type('On we go')
  await press('Enter')
  await ann.text(/You said On we go/).waitFor()
  await ann.leave()
})

test('a list of a thousand chats can be scrolled, searched and opened', async () => {
  const ann = await Person.at(site)
  await ann.page.route('**/chatkit', async (route) => {
    const { type, params } = route.request().postDataJSON() as {
      type: string
      params: { after?: string; limit: number }
    }
    if (type !== 'threads.list') return route.fulfill({ status: 404 })
    const start = Number(params.after ?? -1) + 1
    const data = Array.from({ length: Math.min(params.limit, 1000 - start) }, (_, index) => ({
      id: String(start + index),
      title: `Chat number ${start + index}`,
      created_at: new Date(Date.now() - (start + index) * 3_600_000).toISOString(),
    }))
    return route.fulfill({
      json: { data, has_more: start + data.length < 1000, after: data.at(-1)?.id },
    })
  })
  await ann.button('Chats').click()
  await ann.button('Chat number 0').waitFor()
  const rows = ann.chat.locator('.history-title')
  const first = await rows.count()
  await ann.chat.locator('.history').evaluate((each) => each.scrollTo(0, each.scrollHeight))
  await expect.poll(() => rows.count()).toBeGreaterThan(first)
  await ann.chat.getByRole('searchbox').fill('number 999')
  await ann.button('Chat number 999').waitFor()
  await ann.chat.getByRole('searchbox').fill('')
  await expect.poll(() => rows.count()).toBe(1000)
  await ann.leave()
})
