/** The scroll position of a thread: when it opens, during an answer, and when the user scrolls. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'

const site = openedSite()

const viewport = { width: 900, height: 600 }

/** Return the distance between the scroll position and the end of the thread. */
const rest = (person: Person): Promise<number> =>
  person.chat
    .locator('.scroller')
    .evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight)

const top = (person: Person): Promise<number> =>
  person.chat.locator('.scroller').evaluate((each) => each.scrollTop)

const height = (person: Person): Promise<number> =>
  person.chat.locator('.items').evaluate((each) => each.clientHeight)

/** Have the agent write an answer that is taller than the view. */
async function listening(): Promise<Person> {
  const ann = await Person.at(site, { viewport })
  await ann.say('talk')
  await ann.text('Word 150.').waitFor()
  await expect.poll(() => rest(ann)).toBeLessThan(2)
  return ann
}

/** Wait until the agent has written a number of further lines. */
async function moreLines(person: Person, count = 3): Promise<void> {
  const before = await height(person)
  await expect.poll(() => height(person)).toBeGreaterThan(before + count * 24)
}

async function settled(person: Person): Promise<void> {
  expect(person.problems).toEqual([])
  await person.leave()
}

test.each<[string, (ann: Person) => Promise<void>]>([
  ['a wheel', (ann) => ann.page.mouse.wheel(0, -3)],
  ['a key', (ann) => ann.page.keyboard.press('ArrowUp')],
  [
    'the scroll bar',
    (ann) => ann.chat.locator('.scroller').evaluate((each) => void (each.scrollTop -= 2)),
  ],
])('the first movement up ends following: %s', async (_, move) => {
  const ann = await listening()
  await ann.chat.locator('.scroller').focus()
  await ann.chat.locator('.scroller').hover()
  await move(ann)
  // The browser scrolls a moment later; the lines below show that the thread no longer follows.
  await expect.poll(() => rest(ann)).toBeGreaterThan(40)
  const before = await top(ann)
  await moreLines(ann)
  expect(Math.abs((await top(ann)) - before)).toBeLessThan(60)
  // Scrolling short of the end does not resume following; scrolling to the end does.
  await ann.page.mouse.wheel(0, 1)
  await moreLines(ann)
  await expect.poll(() => rest(ann)).toBeGreaterThan(100)
  // A line that is written meanwhile may move the end away.
  const toEnd = async (): Promise<number> => {
    await ann.page.mouse.wheel(0, 5000)
    return rest(ann)
  }
  await expect.poll(toEnd).toBeLessThan(2)
  await moreLines(ann)
  await expect.poll(() => rest(ann)).toBeLessThan(2)
  await ann.button('Stop').click()
  await settled(ann)
})

test('following resumes at the end that the user saw, although it moved meanwhile', async () => {
  const ann = await listening()
  await ann.chat.locator('.scroller').hover()
  await ann.page.mouse.wheel(0, -300)
  await expect.poll(() => rest(ann)).toBeGreaterThan(100)
  // Before the browser reports the scroll, a line is added.
  await ann.chat.locator('.scroller').evaluate((each) => {
    each.scrollTop = each.scrollHeight
    const line = document.createElement('div')
    line.style.height = '60px'
    each.querySelector('.items')?.append(line)
  })
  await moreLines(ann)
  await expect.poll(() => rest(ann)).toBeLessThan(2)
  await ann.button('Stop').click()
  await settled(ann)
})

test('a growing composer does not hide the end of a followed thread', async () => {
  const ann = await listening()
  await ann.composer.fill('One\nTwo\nThree\nFour\nFive')
  await moreLines(ann)
  await expect.poll(() => rest(ann)).toBeLessThan(2)
  await ann.button('Stop').click()
  await settled(ann)
})

test('a sent message scrolls to the top, and the thread does not follow the answer', async () => {
  const ann = await Person.at(site, { viewport })
  await ann.setOptions({})
  for (const each of ['One', 'Two', 'Three', 'read']) await ann.ask(each, each)
  await ann.say('talk')
  const place = (): Promise<number> =>
    ann.chat
      .locator('.user', { hasText: 'talk' })
      .evaluate(
        (each) =>
          each.getBoundingClientRect().top -
          (each.closest('.scroller')?.getBoundingClientRect().top ?? 0),
      )
  await ann.text('Word 20.').waitFor()
  await expect.poll(async () => Math.abs((await place()) - 16)).toBeLessThan(3)
  await ann.text('Word 300.').waitFor()
  expect(Math.abs((await place()) - 16)).toBeLessThan(3)
  await expect.poll(() => rest(ann)).toBeGreaterThan(100)
  await ann.button('Stop').click()
  await settled(ann)
})

test('a message that could not be sent leaves the error in view', async () => {
  const ann = await Person.at(site, { viewport })
  await ann.setOptions({})
  for (const each of ['One', 'Two', 'read']) await ann.ask(each, each)
  await ann.page.route('**/chatkit', (route) =>
    route.request().postData()?.includes('threads.add_user_message')
      ? route.fulfill({ status: 429, json: { error: 'Wait a minute.' } })
      : route.fallback(),
  )
  await ann.say('Hello')
  const error = ann.chat.getByRole('alert').filter({ hasText: 'Wait a minute.' })
  await error.waitFor()
  await expect.poll(() => rest(ann)).toBeLessThan(2)
  await ann.leave()
})

test('a thread is opened at its end', async () => {
  const ann = await Person.at(site, { viewport })
  await ann.say('long')
  await ann.button('Send').waitFor()
  await ann.ask('read', 'Whoever waits')
  const thread = new URL(ann.page.url()).searchParams.get('thread')
  const isAtEnd = async (): Promise<void> => {
    await ann.text('Whoever waits').waitFor()
    await ann.chat.locator('.katex-display').waitFor()
    await ann.page.waitForTimeout(500)
    await expect.poll(() => rest(ann)).toBeLessThan(2)
  }
  await ann.page.reload()
  await ann.setOptions({})
  await isAtEnd()

  await ann.button('New chat').click()
  await ann.button('Chats').click()
  await ann.chat.locator('.history-title').first().click()
  await isAtEnd()

  // The page is hidden while it loads.
  await ann.page.evaluate(async (threadId) => {
    const chat = document.querySelector('openai-chatkit') as HTMLElement & {
      setThreadId: (id: string | null) => Promise<void>
    }
    await chat.setThreadId(null)
    chat.style.display = 'none'
    await chat.setThreadId(threadId)
    chat.style.display = 'block'
  }, thread)
  await isAtEnd()
  await settled(ann)
})
