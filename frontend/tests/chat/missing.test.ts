// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { LiveServer } from './liveServer'
import { following, page } from './openedPages'

/** Open a page whose server answers requests for the thread `gone` with an error. */
async function lacking(isLive: boolean, error: () => Response) {
  const server = new LiveServer()
  const opened = isLive ? await following(server) : await page(server)
  const fetch: typeof globalThis.fetch = async (url, init) =>
    String(init?.body).includes('"gone"') ? error() : server.fetch(url, init)
  opened.setOptions({ api: { url: '/chatkit', domainKey: 'local', fetch } })
  return opened
}

test.each([
  ['loaded', false],
  ['followed', true],
])(
  'in place of a thread that is not found when it is %s, there is a new one',
  async (_, isLive) => {
    const error = { error: 'There is no such thread.' }
    const { chat, events } = await lacking(isLive, () => Response.json(error, { status: 404 }))
    await chat.setThreadId(null)
    await chat.setComposerValue({ text: 'To anybody' })
    const failure = await chat.setThreadId('gone')
    expect(failure?.message).toBe('There is no such thread.')
    const { threadId, thread, isLoading, draft } = chat.state.get()
    expect([threadId, thread.error?.message]).toEqual([null, 'This chat was not found.'])
    expect([isLoading, draft.state.get().content.map(({ text }) => text)]).toEqual([
      false,
      ['To anybody'],
    ])
    expect(events.slice(-3)).toEqual([
      'chatkit.error',
      'chatkit.thread.change',
      'chatkit.thread.load.end',
    ])
    await chat.setThreadId(null)
    expect(chat.state.get().thread.error).toBeNull()
  },
)

test('a thread stays open when something before the server does not know the path', async () => {
  const { chat } = await lacking(false, () => new Response('Not here', { status: 404 }))
  await chat.setThreadId('gone')
  expect(chat.state.get()).toMatchObject({
    threadId: 'gone',
    loadError: 'The server returned an error (404).',
  })
})
