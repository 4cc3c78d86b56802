/** Actions of widgets, from the click to the server's response. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { idle, leave, seeing, show } from './shownWidget'

const site = openedSite()

/** The kinds of actions, and the visible result of each. */
const ACTIONS: [name: string, action: object, seen: string | RegExp][] = [
  ['that shows more', { type: 'note', payload: { a: 1 } }, 'Noted: {"a": 1}'],
  ['that replaces the widget', { type: 'replace', payload: { a: 1 } }, 'Replaced: {"a": 1}'],
  [
    'that is answered at once',
    { type: 'replace', payload: { a: 1 }, streaming: false },
    'Replaced: {"a": 1}',
  ],
  [
    'that the agent answers',
    { type: 'ask', payload: { question: 'Hi' } },
    /You said Hi, and I know/,
  ],
  ['that is refused', { type: 'refuse' }, 'Sold out. Try again later.'],
  ['that fails', { type: 'break' }, /did not work|went wrong/i],
  ['that nobody takes', { type: 'unheard of' }, 'This chat cannot do that.'],
  ['that does not fit', { type: 'ask', payload: { question: 7 } }, /Question: Input should be/],
]

for (const [name, action, seen] of ACTIONS) {
  test(`an action ${name} works by mouse and by keyboard`, async () => {
    for (const isByKeyboard of [false, true]) {
      const ann = await seeing(site, {
        type: 'Card',
        children: [{ type: 'Button', label: 'Do it', onClickAction: action }],
      })
      if (isByKeyboard) await ann.button('Do it').press('Enter')
      else await ann.button('Do it').click()
      await ann.chat.locator('.items').getByText(seen).first().waitFor()
      await idle(ann)
      // The browser itself logs responses with an error status.
      ann.problems.splice(
        0,
        Infinity,
        ...ann.problems.filter((each) => !each.includes('status of')),
      )
      await leave(ann)
    }
  })
}

test('an error is shown at the button, which works again, and the form keeps its values', async () => {
  const ann = await seeing(site, {
    type: 'Card',
    children: [
      {
        type: 'Form',
        onSubmitAction: { type: 'refuse' },
        children: [
          { type: 'Input', name: 'name' },
          { type: 'Button', label: 'Buy', submit: true },
        ],
      },
    ],
  })
  const name = ann.chat.getByRole('textbox', { name: 'name' })
  await name.fill('Kari')
  await name.press('Enter')
  await ann.chat
    .locator('form')
    .getByRole('alert')
    .getByText('Sold out. Try again later.')
    .waitFor()
  await expect.poll(() => name.inputValue()).toBe('Kari')
  expect(await ann.violations()).toEqual([])
  await ann.button('Buy').click()
  await ann.text('Taken: {"name": "Kari"}').waitFor()
  await leave(ann)
})

test('the page handles its action, and may send another one to the server', async () => {
  const ann = await Person.at(site)
  await ann.page.evaluate(() => {
    interface Chat extends HTMLElement {
      setOptions: (options: object) => void
      sendCustomAction: (action: object, itemId?: string) => Promise<void>
    }
    const chat = document.querySelector('openai-chatkit') as Chat
    chat.setOptions({
      api: { url: '/chatkit', domainKey: 'local' },
      widgets: {
        onAction: (action: { payload: object }, item: { id: string }) =>
          chat.sendCustomAction({ type: 'replace', payload: { ...action.payload, b: 2 } }, item.id),
      },
    })
  })
  const action = { type: 'local', payload: { a: 1 }, handler: 'client' }
  await show(ann, {
    type: 'Card',
    children: [{ type: 'Button', label: 'Do it', onClickAction: action }],
  })
  await ann.button('Do it').click()
  await ann.text('Replaced: {"a": 1, "b": 2}').waitFor()
  await leave(ann)
})

test('a waiting widget keeps the focus, is sent once, and restores the focus', async () => {
  const action = { type: 'note', loadingBehavior: 'container' }
  const ann = await seeing(site, {
    type: 'Card',
    children: [{ type: 'Button', label: 'Do it', onClickAction: action }],
  })
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  await ann.page.route('**/chatkit', async (route) => {
    if (route.request().postData()?.includes('threads.custom_action')) await gate
    await route.continue()
  })
  await ann.button('Do it').dblclick()
  await expect.poll(() => ann.chat.locator('.widget').getAttribute('aria-busy')).toBe('true')
  expect(await ann.violations()).toEqual([])
  go()
  await ann.text('Noted: null').waitFor()
  await idle(ann)
  await expect
    .poll(() => ann.button('Do it').evaluate((each) => each === document.activeElement))
    .toBe(true)
  await expect.poll(() => ann.chat.locator('.widget').getByText('Noted: null').count()).toBe(1)
  await leave(ann)
})

test('an old widget works, except during an answer', async () => {
  const ann = await seeing(site, {
    type: 'Card',
    children: [{ type: 'Button', label: 'Old', onClickAction: { type: 'replace' } }],
  })
  await ann.ask('Hello', /You said Hello/)
  await ann.say('talk')
  await ann.text(/Word 3\./).waitFor()
  await expect.poll(() => ann.button('Old').getAttribute('aria-disabled')).toBe('true')
  await ann.button('Stop').click()
  await idle(ann)
  // The server releases the thread a moment later; until then, it refuses the action.
  const replaced = ann.text('Replaced: null')
  const tryAction = async (): Promise<number> => {
    await ann.button('Old').or(replaced).first().click()
    await idle(ann)
    return replaced.count()
  }
  await expect.poll(tryAction).toBe(1)
  await leave(ann)
})
