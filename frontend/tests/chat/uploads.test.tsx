// @vitest-environment jsdom
import type { CustomApiConfig } from '@openai/chatkit'
import { beforeEach, expect, test, vi } from 'vitest'

import { Uploads } from '../../src/chat/uploads'
import { Texts } from '../../src/i18n/texts'

const texts = new Texts()

beforeEach(async () => {
  await texts.use('en')
  URL.createObjectURL = () => 'blob:a'
  URL.revokeObjectURL = () => {}
})

interface Call {
  url: string
  init: RequestInit
  answer: (body: object, status?: number) => void
}

/** Uploads to a server that responds when the test says so, and already knows the browser. */
function uploads(
  strategy?: CustomApiConfig['uploadStrategy'],
  Made = Uploads,
  isKnown = true,
): { files: Uploads; calls: Call[] } {
  const calls: Call[] = []
  const api: CustomApiConfig = {
    url: 'http://chat.test/chatkit',
    domainKey: 'local',
    ...(strategy && { uploadStrategy: strategy }),
    fetch: (url, init = {}) =>
      new Promise((resolve, reject) => {
        if (isKnown && String(init.body).includes('threads.list')) {
          resolve(Response.json({ data: [] }))
          return
        }
        init.signal?.addEventListener('abort', () => reject(new Error('aborted')))
        const answer: Call['answer'] = (body, status = 200) =>
          resolve(Response.json(body, { status }))
        calls.push({ url: String(url), init, answer })
      }),
  }
  return { files: new Made(() => api, texts), calls }
}

const text = (name: string, size = 3, type = 'text/plain'): File =>
  new File(['x'.repeat(size)], name, { type })
const called = async (calls: Call[], count: number): Promise<Call> => {
  await vi.waitFor(() => expect(calls).toHaveLength(count))
  return calls[count - 1]!
}
const direct = { type: 'direct', uploadUrl: 'http://chat.test/up' } as const
const attachment = { type: 'file', id: 'f1', name: 'a.txt', mime_type: 'text/plain' }

test("a direct upload sends a form, and uses the server's response", async () => {
  const { files, calls } = uploads(direct)
  files.upload([text('a.txt')], undefined)
  expect(files.isUploading()).toBe(true)
  const { url, init, answer } = await called(calls, 1)
  expect([url, init.method]).toEqual(['http://chat.test/up', 'POST'])
  expect((init.body as FormData).get('file')).toHaveProperty('name', 'a.txt')
  answer(attachment)
  await vi.waitFor(() => expect(files.finished()).toEqual([attachment]))
  expect(files.state.get().news).toBe('a.txt is attached.')
})

test("a two-phase upload announces the file, and sends it to the server's URL", async () => {
  const { files, calls } = uploads({ type: 'two_phase' })
  files.upload([text('a.txt')], undefined)
  const announced = await called(calls, 1)
  expect(JSON.parse(String(announced.init.body))).toEqual({
    type: 'attachments.create',
    params: { name: 'a.txt', size: 3, mime_type: 'text/plain' },
  })
  announced.answer({
    ...attachment,
    upload_descriptor: { url: 'http://bucket.test/f1', method: 'PUT', headers: { 'x-a': 'b' } },
  })
  const { url, init, answer } = await called(calls, 2)
  expect([url, init.method, init.headers]).toEqual(['http://bucket.test/f1', 'PUT', { 'x-a': 'b' }])
  answer({})
  await vi.waitFor(() => expect(files.finished()).toEqual([attachment]))
})

const described = (descriptor: object) => ({
  ...attachment,
  upload_descriptor: { url: 'http://bucket.test/f1', ...descriptor },
})

test.each(['POST', 'post'])('a two-phase upload by %s sends a form', async (method) => {
  const { files, calls } = uploads({ type: 'two_phase' })
  files.upload([text('a.txt')], undefined)
  const headers = { 'x-a': 'b', 'content-TYPE': 'multipart/form-data' }
  ;(await called(calls, 1)).answer(described({ method, headers }))
  const { init, answer } = await called(calls, 2)
  expect([init.method, init.headers]).toEqual(['POST', { 'x-a': 'b' }])
  expect((init.body as FormData).get('file')).toHaveProperty('name', 'a.txt')
  answer({})
  await vi.waitFor(() => expect(files.finished()).toEqual([attachment]))
})

test.each(['GET', 'head', null])(
  'a file is never sent by %s, which has no body',
  async (method) => {
    const { files, calls } = uploads()
    files.upload([text('a.txt')], undefined)
    ;(await called(calls, 1)).answer(described({ method, headers: null }))
    const { init } = await called(calls, 2)
    expect(JSON.parse(String(init.body))).toMatchObject({ type: 'attachments.delete' })
    await vi.waitFor(() => expect(files.hasFailed()).toBe(true))
  },
)

test('an upload that fails in the second phase is deleted, and can be retried', async () => {
  const { files, calls } = uploads()
  files.upload([text('a.txt')], undefined)
  const created = { ...attachment, upload_descriptor: { url: 'http://b.test/', method: 'PUT' } }
  ;(await called(calls, 1)).answer(created)
  ;(await called(calls, 2)).answer({ error: 'The disk is full.' }, 503)
  const { init } = await called(calls, 3)
  expect(JSON.parse(String(init.body))).toMatchObject({ type: 'attachments.delete' })
  await vi.waitFor(() => expect(files.hasFailed()).toBe(true))
  const [failed] = files.state.get().files
  expect(failed?.error).toBe('The disk is full.')
  files.retry(failed!.key)
  expect(files.isUploading()).toBe(true)
  ;(await called(calls, 4)).answer(created)
  ;(await called(calls, 5)).answer({})
  await vi.waitFor(() => expect(files.finished()).toHaveLength(1))
})

test('a file removed while it is being announced is deleted', async () => {
  const { files, calls } = uploads()
  files.upload([text('a.txt')], undefined)
  const announced = await called(calls, 1)
  files.remove(files.state.get().files[0]!.key)
  announced.answer(described({ method: 'PUT' }))
  await vi.waitFor(() =>
    expect(JSON.parse(String(calls.at(-1)?.init.body))).toMatchObject({
      type: 'attachments.delete',
      params: { attachment_id: 'f1' },
    }),
  )
})

test('a file removed before it is announced is not sent', async () => {
  vi.resetModules()
  const { Uploads } = await import('../../src/chat/uploads')
  const { files, calls } = uploads(undefined, Uploads, false)
  files.upload([text('a.txt')], undefined)
  const first = await called(calls, 1)
  files.remove(files.state.get().files[0]!.key)
  first.answer({ data: [] })
  await new Promise((resolve) => setTimeout(resolve))
  expect(calls).toHaveLength(1)
})

test('a browser gets a cookie before it uploads', async () => {
  vi.resetModules()
  const { Uploads } = await import('../../src/chat/uploads')
  const { files, calls } = uploads(direct, Uploads, false)
  files.upload([text('a.txt'), text('b.txt')], undefined)
  const { url, init, answer } = await called(calls, 1)
  expect(url).toBe('http://chat.test/chatkit')
  expect(JSON.parse(String(init.body))).toMatchObject({ type: 'threads.list' })
  await new Promise((resolve) => setTimeout(resolve))
  expect(calls).toHaveLength(1)
  answer({ data: [] })
  await called(calls, 3)
  files.upload([text('c.txt')], undefined)
  expect((await called(calls, 4)).url).toBe('http://chat.test/up')
})

test('a missing cookie is requested again with the next file', async () => {
  vi.resetModules()
  const { Uploads } = await import('../../src/chat/uploads')
  const { files, calls } = uploads(direct, Uploads, false)
  files.upload([text('a.txt')], undefined)
  ;(await called(calls, 1)).answer({}, 503)
  ;(await called(calls, 2)).answer({ error: 'Load the chat first.' }, 403)
  await vi.waitFor(() => expect(files.hasFailed()).toBe(true))
  files.retry(files.state.get().files[0]!.key)
  const { init } = await called(calls, 3)
  expect(JSON.parse(String(init.body))).toMatchObject({ type: 'threads.list' })
})

test('removing a file cancels its upload, or deletes it', async () => {
  const { files, calls } = uploads(direct)
  files.upload([text('a.txt'), text('b.txt')], undefined)
  await vi.waitFor(() => expect(calls).not.toHaveLength(0))
  calls[0]!.answer(attachment)
  await vi.waitFor(() => expect(files.finished()).toHaveLength(1))
  await called(calls, 2)
  const [one, two] = files.state.get().files
  files.remove(two!.key)
  expect(calls[1]?.init.signal?.aborted).toBe(true)
  files.remove(one!.key)
  const { init } = await called(calls, 3)
  expect(JSON.parse(String(init.body))).toEqual({
    type: 'attachments.delete',
    params: { attachment_id: 'f1' },
  })
  expect(files.state.get().files).toEqual([])
})

const image: [string, number, string] = ['a.png', 9, 'image/png']

test.each<[Parameters<typeof text>, object, string | null]>([
  [['a.md', 3, ''], { accept: { 'text/*': [] } }, null],
  [['a.md', 3, ''], { accept: { 'text/markdown': ['.md'] } }, null],
  [['a.exe', 3, ''], { accept: { 'image/*': [] } }, 'a.exe: This type of file is not accepted.'],
  [['a.txt'], { accept: { 'text/plain': ['.log'] } }, 'a.txt: This type of file is not accepted.'],
  [['a.txt', 0], {}, 'a.txt: It is empty.'],
  [['a.txt'], { maxCount: 0 }, 'a.txt: The maximum number of files per message is 0.'],
  [image, { maxSize: 8 }, 'a.png: It is larger than 8 byte.'],
  [image, { maxSize: { 'image/*': 8, '*': 9 } }, 'a.png: It is larger than 8 byte.'],
  [image, { maxSize: { 'image/*': 8, 'image/png': 9 } }, null],
  [image, { maxSize: { 'text/*': 9, '*': 8 } }, 'a.png: It is larger than 8 byte.'],
  [image, { maxSize: { 'text/*': 1 } }, null],
])('%j with the limits %j is refused with %j', async (file, limits, refusal) => {
  const { files } = uploads(direct)
  files.upload([text(...file)], { enabled: true, ...limits })
  expect(files.state.get().refusal).toBe(refusal)
  expect(files.state.get().files).toHaveLength(refusal === null ? 1 : 0)
})
