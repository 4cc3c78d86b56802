/** A composer with everything that an app can add to it. */

import type { Person } from './browser'

/** The arguments of the page's callbacks. */
declare global {
  interface Window {
    called: unknown[]
  }
}

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

const composer = {
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
}

/** Give the chat a composer with every feature. */
export async function equip(person: Person, theme = 'light'): Promise<void> {
  await person.page.evaluate(
    ({ theme, people, composer }) => {
      window.called = []
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
        composer,
        entities: {
          showComposerMenu: true,
          onTagSearch: async (query: string) => {
            if (query === 'broken') throw new Error('No search.')
            // The response to a short query arrives after the one to a longer query.
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
            if (id === 'report') {
              const commands = ['Q1', 'Q2'].map((label) => ({ id: label.toLowerCase(), label }))
              return { type: 'menu', commands }
            }
            if (id === 'q2') return { type: 'entity', entity: { id: 'r2', title: 'Report Q2' } }
            return undefined
          },
        },
      })
    },
    { theme, people, composer },
  )
  await person.button('Dictate').waitFor()
  await person.button('Tools').waitFor()
}

export const option = (person: Person, name: string | RegExp) =>
  person.chat.getByRole('option', { name })
export const called = (person: Person): Promise<unknown[]> =>
  person.page.evaluate(() => window.called)
export const text = (name: string, content = 'All is well.') => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(content),
})
export const attach = (person: Person, ...files: ReturnType<typeof text>[]): Promise<void> =>
  person.chat.locator('input[type=file]').setInputFiles(files)

/** Return the request that sends the next message. */
export async function sent(
  person: Person,
  send: () => Promise<void>,
): Promise<Record<string, unknown>> {
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
