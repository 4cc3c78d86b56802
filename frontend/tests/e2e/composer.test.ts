import { afterAll, beforeAll, expect, test } from 'vitest'

import { open, Person, type Site } from './browser'

let site: Site

beforeAll(async () => {
  site = await open()
}, 60_000)
afterAll(() => site?.close())

/** What the page's callbacks were called with. */
declare global {
  interface Window {
    called: unknown[]
  }
}

const at = (options: Parameters<typeof Person.at>[1] = {}): Promise<Person> =>
  Person.at(site, { permissions: ['microphone'], ...options })

/** Give the chat all that a composer can have. */
async function equip(person: Person, theme = 'light'): Promise<void> {
  await person.page.evaluate((theme) => {
    window.called = []
    const people = [
      {
        id: 'kari',
        title: 'Kari Nordmann',
        group: 'People',
        icon: 'user',
        interactive: true,
        data: { team: 'sea' },
      },
      { id: 'ola', title: 'Ola Larsen', group: 'People' },
      { id: 'q2', title: 'Q2 plan', group: 'Documents' },
    ]
    const chat = document.querySelector('openai-chatkit') as unknown as {
      setOptions: (options: object) => void
    }
    chat.setOptions({
      api: {
        url: '/chatkit',
        domainKey: 'local',
        uploadStrategy: { type: 'direct', uploadUrl: 'attachments' },
      },
      theme,
      threadItemActions: { edit: true },
      composer: {
        attachments: { enabled: true, maxSize: { 'image/*': 2000, '*': 1_000_000 }, maxCount: 3 },
        dictation: { enabled: true },
        tools: [
          {
            id: 'search',
            label: 'Search the web',
            shortLabel: 'Search',
            icon: 'globe',
            pinned: true,
          },
          { id: 'draw', label: 'Draw a picture', icon: 'images', placeholderOverride: 'Draw me' },
        ],
        models: [
          { id: 'small', label: 'Small', default: true, description: 'Fast' },
          { id: 'large', label: 'Large' },
          { id: 'old', label: 'Old', disabled: true },
        ],
      },
      entities: {
        showComposerMenu: true,
        onTagSearch: async (query: string) => {
          if (query === 'broken') throw new Error('No search.')
          // The answer to a short query comes after that to a longer one.
          await new Promise((resolve) => setTimeout(resolve, query === 'o' ? 900 : 20))
          return people.filter(({ title }) => title.toLowerCase().includes(query.toLowerCase()))
        },
        onClick: (entity: unknown) => window.called.push(entity),
        onRequestPreview: async ({ title }: { title: string }) => ({
          preview: { type: 'Basic', children: [{ type: 'Text', value: `${title} is at sea.` }] },
        }),
      },
      commands: {
        enabled: true,
        onSearch: async (query: string) =>
          [
            { id: 'help', label: 'Show help', description: 'Opens the guide' },
            { id: 'report', label: 'Pick a report' },
          ].filter(({ label }) => label.toLowerCase().includes(query)),
        onSelect: async ({ id }: { id: string }) => {
          window.called.push(id)
          if (id === 'report') return { type: 'menu', commands: [{ id: 'q2', label: 'Q2' }] }
          if (id === 'q2') return { type: 'entity', entity: { id: 'r2', title: 'Report Q2' } }
          return undefined
        },
      },
    })
  }, theme)
  await person.button('Dictate').waitFor()
  await person.button('Tools').waitFor()
}

const option = (person: Person, name: string | RegExp) => person.chat.getByRole('option', { name })
const called = (person: Person): Promise<unknown[]> => person.page.evaluate(() => window.called)
const text = (name: string, content = 'All is well.') => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})
const attach = (person: Person, ...files: ReturnType<typeof text>[]): Promise<void> =>
  person.chat.locator('input[type=file]').setInputFiles(files)

/** What the next message is sent as. */
async function sent(person: Person, send: () => Promise<void>): Promise<Record<string, unknown>> {
  const [request] = await Promise.all([
    person.page.waitForRequest((request) =>
      /threads\.(create|add_user_message|retry)/.test(request.postData() ?? ''),
    ),
    send(),
  ])
  const { params, metadata } = JSON.parse(request.postData() ?? '{}') as {
    params: { input?: object }
    metadata?: { input?: object }
  }
  return { ...(params.input ?? metadata?.input) }
}

test('a tag is found by keyboard, sent in its place, seen, clicked and kept when edited', async () => {
  const ann = await at()
  await equip(ann)
  const { keyboard } = ann.page
  await ann.composer.click()
  await keyboard.type('Ask @o')
  await keyboard.type('l')
  await option(ann, 'Ola Larsen').waitFor()
  await ann.page.waitForTimeout(1000)
  expect(await ann.chat.getByRole('option').count()).toBe(1)
  await keyboard.press('Escape')
  expect(await ann.chat.getByRole('option').count()).toBe(0)
  for (let times = 0; times < 2; times++) await keyboard.press('Backspace')
  await keyboard.press('Backspace')
  await keyboard.type('@')
  await option(ann, 'Q2 plan').waitFor()
  await keyboard.press('ArrowUp')
  await keyboard.press('ArrowDown')
  const active = await ann.composer.getAttribute('aria-activedescendant')
  expect(await ann.chat.locator(`[id="${active}"]`).textContent()).toBe('Kari Nordmann')
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
  expect(await called(ann)).toMatchObject([{ id: 'kari', data: { team: 'sea' } }])
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
  expect(ann.complaints).toEqual([])
  await ann.page.context().close()
})

test('the button for tags opens the menu each time, wherever the focus was', async () => {
  const ann = await at()
  await equip(ann)
  for (let times = 0; times < 20; times++) {
    await ann.composer.fill('Ask')
    await ann.composer.fill('')
    await ann.button('Mention').click()
    await option(ann, 'Q2 plan').click()
    await expect.poll(() => ann.composer.textContent()).toBe('@Q2 plan ')
  }
  await ann.page.context().close()
})

test('a search that fails or finds nothing says so, and does not keep anybody from writing', async () => {
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
  await ann.page.context().close()
})

test('commands act, lead to others, and become tags', async () => {
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
  await keyboard.press('Enter')
  await expect.poll(() => ann.composer.textContent()).toBe('See @Report Q2 ')
  expect(await called(ann)).toEqual(['help', 'report', 'q2'])
  await keyboard.type('/draw')
  await option(ann, 'Draw a picture').waitFor()
  await keyboard.press('Enter')
  await ann.button('Do not use Draw a picture').waitFor()
  await ann.page.context().close()
})

test('text keeps its lines, is undone, and 100 KB of it stay usable', async () => {
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
  expect(await ann.composer.innerText()).toMatch(/^One\n+Two\n+Three\n+Four$/)
  await keyboard.press('Control+z')
  expect(await ann.composer.innerText()).not.toContain('Three')
  await keyboard.press('Control+Shift+z')
  const input = await sent(ann, () => keyboard.press('Enter'))
  expect(input['content']).toEqual([{ type: 'input_text', text: 'One\nTwo\nThree\n\nFour' }])
  await ann.button('Send').waitFor()
  await paste('A line of some words that is repeated.\n'.repeat(2600))
  await keyboard.type('The end.')
  const { height } = (await ann.composer.boundingBox()) ?? { height: 0 }
  expect(height).toBeLessThan(400)
  expect(await ann.composer.evaluate((each) => each.textContent?.endsWith('The end.'))).toBe(true)
  await keyboard.press('Control+a')
  await keyboard.press('Delete')
  await expect.poll(() => ann.composer.textContent()).toBe('')
  await ann.page.context().close()
})

test('a tool and a model are chosen, sent, and the tool is then put away', async () => {
  const ann = await at()
  await equip(ann)
  await ann.button('Search the web').click()
  expect(await ann.button('Search the web').getAttribute('aria-pressed')).toBe('true')
  await ann.button('Tools').press('Enter')
  await ann.page.keyboard.press('Enter')
  await ann.chat.locator('[aria-placeholder="Draw me"]').waitFor()
  expect(await ann.button('Search the web').getAttribute('aria-pressed')).toBe('false')
  await ann.chat.getByRole('button', { name: /Small/ }).click()
  expect(await ann.chat.getByRole('menuitemradio', { name: 'Old' }).isDisabled()).toBe(true)
  await ann.chat.getByRole('menuitemradio', { name: 'Large' }).click()
  const input = await sent(ann, () => ann.say('A ship'))
  expect(input['inference_options']).toEqual({ tool_choice: { id: 'draw' }, model: 'large' })
  await expect.poll(() => ann.button('Do not use Draw a picture').count()).toBe(0)
  await ann.page.context().close()
})

test('files are uploaded, refused, tried again, removed and sent', async () => {
  const ann = await at()
  await equip(ann)
  let isFull = true
  await ann.page.route('**/attachments', (route) => {
    const isFailing = isFull && route.request().postDataBuffer()?.includes('b.txt')
    return isFailing
      ? route.fulfill({ status: 503, json: { error: 'It is full.' } })
      : route.fallback()
  })
  const picture = { name: 'p.png', mimeType: 'image/png', buffer: Buffer.alloc(3000) }
  await attach(ann, text('a.txt'), text('b.txt'), picture)
  await ann.chat.getByRole('alert').getByText('p.png: It is larger than 2 kB.').waitFor()
  await ann.chat.getByText('It is full.', { exact: true }).waitFor()
  await ann.say('Read this')
  await ann.chat.getByText('Try the failed files again or remove them').waitFor()
  isFull = false
  await ann.button('Upload b.txt again').click()
  await ann.chat.getByText('b.txt is attached.').waitFor()
  const deleted = ann.page.waitForRequest((request) =>
    /attachments\.delete/.test(request.postData() ?? ''),
  )
  await ann.button('Remove a.txt').click()
  await deleted
  const input = await sent(ann, () => ann.composer.press('Enter'))
  expect(input['attachments']).toHaveLength(1)
  await ann.text(/You said Read this/).waitFor()
  expect(await ann.chat.locator('.items .file').textContent()).toBe('b.txt')
  await ann.page.context().close()
})

test('files go up in two phases, with progress', async () => {
  const ann = await at()
  await ann.setOptions({
    api: { url: '/chatkit', domainKey: 'local', uploadStrategy: { type: 'two_phase' } },
    composer: { attachments: { enabled: true } },
  })
  await ann.button('Attach files').waitFor()
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  await ann.page.route('**/upload?*', async (route) => {
    await gate
    await route.fallback()
  })
  await attach(ann, text('log.txt'))
  await ann.chat.getByRole('progressbar', { name: 'Uploading log.txt' }).waitFor()
  await ann.say('Read it')
  await ann.chat.getByText('You can send the message when the files are uploaded.').waitFor()
  go()
  await ann.chat.getByText('log.txt is attached.').waitFor()
  await ann.composer.press('Enter')
  await ann.text(/You said Read it/).waitFor()
  await ann.page.context().close()
})

test('a file that is uploading belongs to the chat that it was begun in', async () => {
  const ann = await at()
  await equip(ann)
  await ann.ask('First', /You said First/)
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  await ann.page.route('**/attachments', async (route) => {
    await gate
    await route.fallback()
  })
  await attach(ann, text('log.txt'))
  await ann.composer.fill('For the first')
  await ann.button('New chat').click()
  await ann.chat.getByRole('heading', { name: 'What can I help with today?' }).waitFor()
  expect(await ann.chat.getByText('log.txt').count()).toBe(0)
  await ann.composer.fill('For a new one')
  go()
  await ann.button('Chats').click()
  await ann.button('First').click()
  await ann.button('Remove log.txt').waitFor()
  expect(await ann.composer.textContent()).toBe('For the first')
  await ann.composer.press('Enter')
  await ann.text(/You said For the first/).waitFor()
  await ann.button('Send').waitFor()
  await ann.button('New chat').click()
  await expect.poll(() => ann.composer.textContent()).toBe('For a new one')
  await ann.page.reload()
  await expect.poll(() => ann.composer.textContent()).toBe('For a new one')
  await ann.page.context().close()
})

test('files are dropped anywhere, and pasted', async () => {
  const ann = await at()
  await equip(ann)
  const drag = (type: string): Promise<void> =>
    ann.chat.locator('main').evaluate((element, type) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['All is well.'], 'dropped.txt', { type: 'text/plain' }))
      element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
    }, type)
  await drag('dragover')
  await ann.chat.getByText('Drop files here').waitFor()
  await drag('drop')
  await ann.chat.getByText('dropped.txt is attached.').waitFor()
  expect(await ann.chat.getByText('Drop files here').count()).toBe(0)
  await ann.composer.evaluate((element) => {
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File(['All is well.'], 'pasted.txt', { type: 'text/plain' }))
    element.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    )
  })
  await ann.chat.getByText('pasted.txt is attached.').waitFor()
  await ann.page.context().close()
})

test('what is dictated is written where the caret is', async () => {
  const ann = await at()
  await equip(ann)
  await ann.composer.fill('This is')
  await ann.button('Dictate').click()
  await ann.button('Stop dictation').waitFor()
  await ann.page.keyboard.press('Escape')
  await ann.button('Dictate').click()
  await ann.button('Stop dictation').waitFor()
  await ann.page.waitForTimeout(300)
  await ann.page.keyboard.press('Enter')
  await expect.poll(() => ann.composer.textContent()).toBe('This is a audio/webm recording')
  expect(ann.complaints).toEqual([])
  await ann.page.context().close()
})

test.each([
  ['Nothing was heard.', { status: 200, json: { text: ' ' } }],
  [
    'What you said could not be written down. This server does not offer that.',
    { status: 501, json: { error: 'This server does not offer that.' } },
  ],
])('a dictation that fails says: %s', async (words, answer) => {
  const ann = await at()
  await equip(ann)
  await ann.page.route('**/chatkit', (route) =>
    route.request().postData()?.includes('input.transcribe')
      ? route.fulfill(answer)
      : route.fallback(),
  )
  await ann.composer.fill('Still here')
  await ann.button('Dictate').click()
  await ann.button('Stop dictation').click()
  await ann.chat.getByRole('alert').getByText(words).waitFor()
  expect(await ann.composer.textContent()).toBe('Still here')
  await ann.page.context().close()
})

test('a microphone that is refused is explained', async () => {
  const ann = await at({ permissions: [] })
  await equip(ann)
  await ann.button('Dictate').click()
  await ann.chat.getByRole('alert').getByText('The microphone cannot be used.').waitFor()
  await ann.page.context().close()
})

test('what is written while an answer comes is kept', async () => {
  const ann = await at()
  await ann.say('talk')
  await ann.text(/Word 5\./).waitFor()
  await ann.composer.fill('And then?')
  await ann.composer.press('Enter')
  await ann.button('Stop').click()
  await ann.button('Send now').waitFor()
  await ann.text('And then?').waitFor()
  expect(await ann.composer.textContent()).toBe('')
  await ann.page.context().close()
})

test.each([
  ['light', 1000],
  ['dark', 1000],
  ['light', 360],
  ['dark', 360],
] as const)('axe finds nothing in the composer, %s, %i wide', async (colorScheme, width) => {
  const ann = await at({ colorScheme, viewport: { width, height: 700 } })
  await equip(ann, colorScheme)
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
  await ann.page.context().close()
})
