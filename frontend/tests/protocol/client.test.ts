import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, expect, test } from 'vitest'

import { ProtocolClient, ProtocolError, type ClientOptions } from '../../src/protocol/client'
import type { ThreadStreamEvent } from '../../src/protocol/types'

const EVENTS = { 'Content-Type': 'text/event-stream' }
const input = { content: [], attachments: [], inference_options: {} }
let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(
  listener: RequestListener,
  options: Partial<ClientOptions> = {},
): Promise<ProtocolClient> {
  const started = (server = createServer(listener))
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  const { port } = started.address() as AddressInfo
  return new ProtocolClient({ url: `http://127.0.0.1:${port}/`, idleTimeout: 1000, ...options })
}

async function read(client: ProtocolClient, signal?: AbortSignal): Promise<ThreadStreamEvent[]> {
  const found: ThreadStreamEvent[] = []
  const init = signal === undefined ? {} : { signal }
  for await (const { event } of client.stream('threads.create', { input }, init))
    found.push(event as ThreadStreamEvent)
  return found
}

async function failure(promise: Promise<unknown>): Promise<ProtocolError> {
  const error: unknown = await promise.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ProtocolError)
  return error as ProtocolError
}

test('a request has its type, parameters and language', async () => {
  let seen = {}
  const client = await serve(
    (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { 'accept-language': language, 'content-type': type } = request.headers
        seen = { language, type, body: JSON.parse(body) as unknown }
        response.end('{"data": [], "has_more": false}')
      })
    },
    { locale: 'de-DE' },
  )
  expect(await client.request('threads.list', { limit: 3 })).toEqual({ data: [], has_more: false })
  expect(seen).toEqual({
    language: 'de-DE',
    type: 'application/json',
    body: { type: 'threads.list', params: { limit: 3 } },
  })
})

test('events arrive however they are split, and heartbeats are ignored', async () => {
  const event = (text: string): string => `data: {"type":"progress_update","text":"${text}"}\n\n`
  const bytes = Buffer.from(`${event('Grüß')}:\n\n${event('b')}`)
  const client = await serve((_, response) => {
    response.writeHead(200, EVENTS)
    for (const byte of bytes) response.write(Buffer.from([byte]))
    response.end()
  })
  const texts = (await read(client)).map((each) => (each as { text: string }).text)
  expect(texts).toEqual(['Grüß', 'b'])
})

test('an event that cannot be read is skipped', async () => {
  const client = await serve((_, response) => {
    response.writeHead(200, EVENTS).write('data: {"type"\n\n')
    response.end('data: {"type":"progress_update","text":"a"}\n\ndata: 7\n\ndata: {"type":"progr')
  })
  expect(await read(client)).toHaveLength(1)
})

test.each([
  ['JSON that says why', 503, '{"error": "The database does not respond."}', 'The database'],
  ['a page', 502, '<html><body>Bad gateway</body></html>', '(502)'],
])('an error with %s', async (_, status, body, expected) => {
  const client = await serve((_request, response) => void response.writeHead(status).end(body))
  const error = await failure(read(client))
  expect(error).toMatchObject({ kind: 'http', status })
  expect(error.message).toContain(expected)
})

test('an HTML page instead of events or JSON is an error', async () => {
  const client = await serve((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Log in</p>')
  })
  expect((await failure(read(client))).kind).toBe('format')
  expect((await failure(client.request('threads.list', {}))).kind).toBe('format')
})

test('a connection breaks', async () => {
  const client = await serve((_, response) => {
    response.writeHead(200, EVENTS)
    response.write('data: {"type":"progress_update","text":"a"}\n\n')
    setTimeout(() => response.destroy(), 20)
  })
  expect((await failure(read(client))).kind).toBe('lost')
})

test('a server is unreachable', async () => {
  const client = new ProtocolClient({ url: 'http://127.0.0.1:9/chatkit' })
  expect((await failure(read(client))).kind).toBe('unreachable')
})

test('a server stops sending', async () => {
  const client = await serve((_, response) => response.writeHead(200, EVENTS).flushHeaders(), {
    idleTimeout: 50,
  })
  expect((await failure(read(client))).kind).toBe('lost')
})

test('a reader that stops ends the request', async () => {
  let close = (): void => {}
  const closed = new Promise<void>((resolve) => (close = resolve))
  const client = await serve((_, response) => {
    response.writeHead(200, EVENTS).write('data: {"type":"progress_update","text":"a"}\n\n')
    response.on('close', close)
  })
  for await (const _ of client.stream('threads.create', { input })) break
  await closed
})

test('a server that never responds is lost, and the request is aborted', async () => {
  let leave = (): void => {}
  const left = new Promise<void>((resolve) => (leave = resolve))
  const client = await serve((_, response) => void response.on('close', leave), {
    idleTimeout: 50,
  })
  expect((await failure(read(client))).kind).toBe('lost')
  await left
})

test('a server whose error never ends is lost', async () => {
  const client = await serve((_, response) => void response.writeHead(500).write('{"err'), {
    idleTimeout: 50,
  })
  expect((await failure(read(client))).kind).toBe('lost')
})

test('heartbeats keep a stream alive', async () => {
  const client = await serve(
    (_, response) => {
      response.writeHead(200, EVENTS)
      let count = 0
      const timer = setInterval(() => {
        response.write(':\n\n')
        count += 1
        if (count < 8) return
        clearInterval(timer)
        response.end('data: {"type":"progress_update","text":"a"}\n\n')
      }, 50)
    },
    { idleTimeout: 200 },
  )
  expect(await read(client)).toHaveLength(1)
})

test('a slow reader is not mistaken for a silent server', async () => {
  const client = await serve(
    (_, response) => {
      response.writeHead(200, EVENTS)
      response.write('data: {"type":"progress_update","text":"a"}\n\n')
      setTimeout(() => response.end('data: {"type":"progress_update","text":"b"}\n\n'), 20)
    },
    { idleTimeout: 100 },
  )
  let count = 0
  for await (const _ of client.stream('threads.create', { input })) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    count += 1
  }
  expect(count).toBe(2)
})

test('events of unknown types are passed on, but not those without a type', async () => {
  const client = await serve((_, response) => {
    response.writeHead(200, { 'Content-Type': 'Text/Event-Stream; charset=UTF-8' })
    response.end('data: {"type":"thread.hologram"}\r\n\r\ndata: {"type":7}\n\ndata: []\n\n')
  })
  expect(await read(client)).toEqual([{ type: 'thread.hologram' }])
})

test.each(['', ' ', '<html>Oops</html>', 'x'.repeat(500)])(
  'an error that is nothing to read: %j',
  async (error) => {
    const client = await serve((_, response) => {
      response.writeHead(500).end(JSON.stringify({ error }))
    })
    expect(await failure(read(client))).toMatchObject({
      kind: 'http',
      status: 500,
      message: 'The server returned an error (500).',
    })
  },
)

test('a truncated JSON response is a lost connection', async () => {
  const client = await serve((_, response) => {
    response.writeHead(200, { 'Content-Length': '100' }).write('{"data"')
    setTimeout(() => response.destroy(), 20)
  })
  expect(await failure(client.request('threads.list', {}))).toMatchObject({
    kind: 'lost',
    message: 'The connection to the server was lost.',
  })
})

test('metadata is sent', async () => {
  let body = ''
  const client = await serve((request, response) => {
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => response.writeHead(200, EVENTS).end())
  })
  const events = client.stream('threads.create', { input }, { metadata: { call_id: 'c1' } })
  expect((await events.next()).done).toBe(true)
  expect(JSON.parse(body)).toMatchObject({ type: 'threads.create', metadata: { call_id: 'c1' } })
})

test.each<[string, RequestListener]>([
  ['before the answer begins', () => {}],
  ['in an error', (_, response) => void response.writeHead(500).write('{"err')],
  ['between events', (_, response) => void response.writeHead(200, EVENTS).write(':\n\n')],
])('stopped %s', async (_, listener) => {
  const client = await serve(listener)
  const stopping = new AbortController()
  const reading = failure(read(client, stopping.signal))
  setTimeout(() => stopping.abort(new Error('enough')), 50)
  expect((await reading).kind).toBe('aborted')
})

test('a request can be aborted, also before it starts', async () => {
  const client = await serve((_, response) => void response.writeHead(200).write('{'))
  const stopping = new AbortController()
  const reading = failure(client.request('threads.list', {}, { signal: stopping.signal }))
  setTimeout(() => stopping.abort(), 50)
  expect((await reading).kind).toBe('aborted')
  expect((await failure(read(client, AbortSignal.abort()))).kind).toBe('aborted')
})
