import { expect, test } from 'vitest'

import { Person } from './browser'
import { openedSite } from './openedSite'
import { surroundings } from './surroundings'
import { attach, called, equip, option, sent, text } from './equippedComposer'

const site = openedSite(undefined, true)

const at = (options: Parameters<typeof Person.at>[1] = {}): Promise<Person> =>
  Person.at(site, { permissions: ['microphone'], ...options })

test('a tag is found by keyboard, sent in place, shown, clicked and kept when edited', async () => {
  const ann = await at()
  await equip(ann)
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('Ask @o')
  await keyboard.type('l')
  await option(ann, 'Ola Larsen').waitFor()
  await ann.page.waitForTimeout(1000)
  await expect.poll(() => ann.chat.getByRole('option').count()).toBe(1)
  await keyboard.press('Escape')
  await expect.poll(() => ann.chat.getByRole('option').count()).toBe(0)
  for (let times = 0; times < 2; times++) await keyboard.press('Backspace')
  await keyboard.press('Backspace')
  await keyboard.type('@')
  await option(ann, 'Q2 plan').waitFor()
  await keyboard.press('ArrowUp')
  await keyboard.press('ArrowDown')
  const active = ann.chat.locator('[role=option][aria-selected=true]')
  await expect.poll(() => active.textContent()).toBe('Kari Nordmann')
  const id = (await active.getAttribute('id')) ?? ''
  expect(await ann.composer.getAttribute('aria-activedescendant')).toBe(id)
  await keyboard.press('Tab')
  await keyboard.type('about it')
  const kari = { type: 'input_tag', id: 'kari', text: 'Kari Nordmann', group: 'People' }
  const content = [
    { type: 'input_text', text: 'Ask ' },
    { ...kari, interactive: true, data: { team: 'sea' } },
    { type: 'input_text', text: ' about it' },
  ]
  const input = await sent(ann, () => keyboard.press('Enter'))
  expect(input['content']).toEqual(content)
  await ann.text(/You said/).waitFor()
  await ann.button('Send').waitFor()
  const tag = ann.chat.locator('.items').getByRole('button', { name: '@Kari Nordmann' })
  await tag.click()
  await expect.poll(() => called(ann)).toMatchObject([{ id: 'kari', data: { team: 'sea' } }])
  await ann.chat.getByText('Kari Nordmann is at sea.').waitFor()
  await keyboard.press('Escape')
  await ann.button('Edit').focus()
  await keyboard.press('Enter')
  await ann.chat.getByRole('textbox', { name: 'Edited message' }).press('Control+End')
  await keyboard.type(' now')
  const edited = await sent(ann, () => keyboard.press('Enter'))
  expect(edited['content']).toEqual([
    ...content.slice(0, 2),
    { type: 'input_text', text: ' about it now' },
  ])
  await ann.button('Send').waitFor()
  expect(ann.problems).toEqual([])
  await ann.leave()
})

test('the tag button always opens the menu, wherever the focus was', async () => {
  const ann = await at()
  await equip(ann)
  for (let times = 0; times < 20; times++) {
    await ann.composer.fill('Ask')
    await ann.composer.fill('')
    await ann.button('Mention').click()
    await option(ann, 'Q2 plan').click()
    await expect.poll(() => ann.composer.textContent()).toBe('@Q2 plan ')
  }
  await ann.leave()
})

test('a search that fails or finds nothing says so, and does not prevent writing', async () => {
  const ann = await at()
  await equip(ann)
  await ann.composer.click()
  await ann.page.keyboard.type('@broken')
  await ann.chat.getByText('The search failed.').waitFor()
  await ann.composer.fill('@nobody')
  await ann.chat.getByText('Nothing found.').waitFor()
  await ann.page.keyboard.type(' is here, ann@kari.test')
  await expect.poll(() => ann.chat.locator('.suggestions').count()).toBe(0)
  await ann.page.keyboard.press('Enter')
  await ann.text(/You said @nobody is here/).waitFor()
  await ann.leave()
})

test('commands run, open menus, and become tags', async () => {
  const ann = await at()
  await equip(ann)
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('/help')
  await option(ann, /Show help/).waitFor()
  await keyboard.press('Enter')
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await keyboard.type('See /report')
  await option(ann, 'Pick a report').click()
  await option(ann, 'Q2').waitFor()
  await keyboard.press('ArrowDown')
  await keyboard.press('Enter')
  await expect.poll(() => ann.composer.textContent()).toBe('See @Report Q2 ')
  await expect.poll(() => called(ann)).toEqual(['help', 'report', 'q2'])
  await keyboard.type('/draw')
  await option(ann, 'Draw a picture').waitFor()
  await keyboard.press('Enter')
  await ann.button('Turn off Draw a picture').waitFor()
  await ann.leave()
})

test('text keeps its lines, can be undone, and is usable at 100 KB', async () => {
  const ann = await at()
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('One')
  await keyboard.press('Shift+Enter')
  await keyboard.type('Two')
  const paste = (text: string): Promise<void> =>
    ann.composer.evaluate((element, text) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', text)
      clipboardData.setData('text/html', '<b onclick="x">not this</b>')
      element.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
      )
    }, text)
  await paste('\r\nThree\n\nFour')
  await expect.poll(() => ann.composer.innerText()).toMatch(/^One\n+Two\n+Three\n+Four$/)
  await keyboard.press('Control+z')
  await expect.poll(() => ann.composer.innerText()).not.toContain('Three')
  await keyboard.press('Control+Shift+z')
  const input = await sent(ann, () => keyboard.press('Enter'))
  expect(input['content']).toEqual([{ type: 'input_text', text: 'One\nTwo\nThree\n\nFour' }])
  await ann.button('Send').waitFor()
  await paste('A line of some words that is repeated.\n'.repeat(2600))
  await keyboard.type('The end.')
  await expect
    .poll(() => ann.composer.evaluate((each) => each.textContent?.endsWith('The end.')))
    .toBe(true)
  await expect.poll(async () => (await ann.composer.boundingBox())?.height).toBeLessThan(400)
  await keyboard.press('Control+a')
  await keyboard.press('Delete')
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await ann.leave()
})

test('a chosen tool and model are sent, and the tool is then deselected', async () => {
  const ann = await at()
  await equip(ann)
  await ann.button('Search the web').click()
  await expect.poll(() => ann.button('Search the web').getAttribute('aria-pressed')).toBe('true')
  await ann.button('Tools').press('Enter')
  await ann.page.keyboard.press('Enter')
  await ann.chat.locator('[aria-placeholder="Draw me"]').waitFor()
  await expect.poll(() => ann.button('Search the web').getAttribute('aria-pressed')).toBe('false')
  await ann.chat.getByRole('button', { name: /Small/ }).click()
  expect(await ann.chat.getByRole('menuitemradio', { name: 'Old' }).isDisabled()).toBe(true)
  await ann.chat.getByRole('menuitemradio', { name: 'Large' }).click()
  const input = await sent(ann, () => ann.say('A ship'))
  expect(input['inference_options']).toEqual({ tool_choice: { id: 'draw' }, model: 'large' })
  await expect.poll(() => ann.button('Turn off Draw a picture').count()).toBe(0)
  await ann.leave()
})

test('text written during an answer is kept', async () => {
  const ann = await at()
  await ann.say('talk')
  await ann.text(/Word 5\./).waitFor()
  await ann.composer.fill('And then?')
  await ann.composer.press('Enter')
  await ann.button('Stop').click()
  await ann.button('Send now').waitFor()
  await ann.text('And then?').waitFor()
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await ann.leave()
})

test.each(Object.entries(surroundings))(
  'axe finds nothing in the composer: %s',
  async (_, options) => {
    const ann = await at(options)
    await equip(ann, options.colorScheme)
    const check = async (state: string, hasMenu = false): Promise<void> => {
      expect(await ann.violations(hasMenu), state).toEqual([])
      const frame = ann.page.frames()[1]
      const isWide = await frame?.evaluate(() => document.body.scrollWidth > window.innerWidth)
      expect(isWide, state).toBe(false)
    }
    await ann.composer.click()
    await ann.page.keyboard.type('@')
    await option(ann, 'Q2 plan').waitFor()
    await check('tags')
    await ann.page.keyboard.press('Enter')
    await ann.page.keyboard.type('/')
    await option(ann, /Show help/).waitFor()
    await check('commands')
    await ann.page.keyboard.press('Escape')
    await ann.composer.getByRole('button').focus()
    await ann.chat.getByText('Kari Nordmann is at sea.').waitFor()
    await check('preview')
    await ann.page.keyboard.press('Escape')
    await ann.button('Search the web').click()
    await ann.button('Tools').click()
    await ann.chat.getByRole('menuitemradio').first().waitFor()
    await check('tools', true)
    await ann.chat.getByRole('menuitemradio').first().click()
    await ann.chat.getByRole('button', { name: /Small/ }).click()
    await ann.chat.getByRole('menuitemradio', { name: 'Large' }).waitFor()
    await check('models', true)
    await ann.page.keyboard.press('Escape')
    await ann.page.route('**/attachments', (route) =>
      route.request().postDataBuffer()?.includes('bad.txt')
        ? route.fulfill({ status: 503, json: { error: 'It is full.' } })
        : undefined,
    )
    await attach(ann, text('bad.txt'), text('slow.txt'), text('empty.txt', ''))
    await ann.chat.getByText('It is full.', { exact: true }).waitFor()
    await ann.chat.getByRole('progressbar').waitFor()
    await ann.composer.press('Enter')
    await check('files')
    await ann.button('Dictate').click()
    await ann.button('Stop dictation').waitFor()
    await check('recording')
    await ann.leave()
  },
)

test('with system colors, borders replace distinctions by color', async () => {
  const ann = await Person.at(site, { forcedColors: 'active', permissions: ['microphone'] })
  await equip(ann)
  const bordered = (selector: string): Promise<boolean> =>
    ann.chat
      .locator(selector)
      .first()
      .evaluate((each) => {
        const { borderTopWidth, outlineStyle } = getComputedStyle(each)
        return borderTopWidth !== '0px' || outlineStyle !== 'none'
      })
  await ann.composer.click()
  await ann.page.keyboard.type('@')
  await option(ann, 'Q2 plan').waitFor()
  await expect.poll(() => bordered('.suggestions')).toBe(true)
  await expect.poll(() => bordered('.suggestion[aria-selected=true]')).toBe(true)
  await expect.poll(() => bordered('.suggestion[aria-selected=false]')).toBe(false)
  await ann.page.keyboard.press('Enter')
  await expect.poll(() => bordered('.tag')).toBe(true)
  await ann.button('Search the web').click()
  await expect.poll(() => bordered('.pick[aria-pressed=true]')).toBe(true)
  await ann.button('Tools').click()
  await ann.chat.getByRole('menuitemradio').first().waitFor()
  await expect.poll(() => bordered('[role=menu]')).toBe(true)
  await ann.leave()
})
