import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { ProtocolClient, ProtocolError } from '../src/protocol/client'
import type { ThreadStreamEvent } from '../src/protocol/types'

let server: Server
let url: string
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void

beforeEach(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/chatkit`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const input = { content: [], attachments: [], inference_options: {} }

function events(...parts: string[]): typeof answer {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    for (const part of parts) response.write(part)
    response.end()
  }
}

async function stream(client = new ProtocolClient({ url })): Promise<ThreadStreamEvent[]> {
  const found: ThreadStreamEvent[] = []
  for await (const event of client.stream('threads.create', { input })) found.push(event)
  return found
}

async function failure(promise: Promise<unknown>): Promise<ProtocolError> {
  const error: unknown = await promise.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ProtocolError)
  return error as ProtocolError
}

test('a request says what it wants, in which language', async () => {
  let seen = {}
  answer = (request, response, body) => {
    const { 'accept-language': language, 'content-type': type } = request.headers
    seen = { language, type, body: JSON.parse(body) as unknown }
    response.end('{"data": [], "has_more": false}')
  }
  const client = new ProtocolClient({ url, locale: 'de-DE' })
  expect(await client.request('threads.list', { limit: 3 })).toEqual({ data: [], has_more: false })
  expect(seen).toEqual({
    language: 'de-DE',
    type: 'application/json',
    body: { type: 'threads.list', params: { limit: 3 } },
  })
})

test('events arrive however they are cut, and heartbeats are none', async () => {
  const event = (text: string): string => `data: {"type":"progress_update","text":"${text}"}\n\n`
  const whole = `${event('Grüß')}:\n\n${event('b')}`
  const bytes = Buffer.from(whole)
  answer = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    for (const byte of bytes) response.write(Buffer.from([byte]))
    response.end()
  }
  expect((await stream()).map((each) => (each as { text: string }).text)).toEqual(['Grüß', 'b'])
})

test('an event that cannot be read is skipped', async () => {
  const good = 'data: {"type":"progress_update","text":"a"}\n\n'
  answer = events('data: {"type"\n\n', good, 'data: 7\n\n', 'data: {"type":"progr')
  expect(await stream()).toHaveLength(1)
})

test.each([
  ['JSON that says why', 503, '{"error": "The database does not answer."}', 'The database'],
  ['a page', 502, '<html><body>Bad gateway</body></html>', '(502)'],
])('an error with %s', async (_, status, body, expected) => {
  answer = (_request, response) => response.writeHead(status).end(body)
  const error = await failure(stream())
  expect(error).toMatchObject({ kind: 'http', status })
  expect(error.message).toContain(expected)
})

test('a page instead of events, and instead of JSON', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Log in</p>')
  }
  expect((await failure(stream())).kind).toBe('format')
  const client = new ProtocolClient({ url })
  expect((await failure(client.request('threads.list', {}))).kind).toBe('format')
})

test('a connection that breaks', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: {"type":"progress_update","text":"a"}\n\n')
    setTimeout(() => response.destroy(), 20)
  }
  expect((await failure(stream())).kind).toBe('network')
})

test('a server that is not there', async () => {
  const client = new ProtocolClient({ url: 'http://127.0.0.1:9/chatkit' })
  expect((await failure(stream(client))).kind).toBe('network')
})

test('a server that falls silent', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
  }
  const client = new ProtocolClient({ url, idleTimeout: 50 })
  expect((await failure(stream(client))).kind).toBe('network')
})

test('who stops to listen ends the answer', async () => {
  const closed = new Promise<void>((resolve) => {
    answer = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('data: {"type":"progress_update","text":"a"}\n\n')
      response.on('close', resolve)
    }
  })
  for await (const _ of new ProtocolClient({ url }).stream('threads.create', { input })) break
  await closed
})

test('a stream that is stopped', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
  }
  const stopping = new AbortController()
  const events = new ProtocolClient({ url }).stream(
    'threads.create',
    { input },
    { signal: stopping.signal },
  )
  const first = failure(events.next())
  setTimeout(() => stopping.abort(), 20)
  expect((await first).kind).toBe('aborted')
})
