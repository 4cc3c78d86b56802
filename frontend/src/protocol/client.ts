/** The wire: requests to a ChatKit server, and the events that it answers with. */

import { createParser } from 'eventsource-parser'

import type {
  Attachment,
  ChatKitReq,
  ItemPage,
  SyncCustomActionResponse,
  Thread,
  ThreadPage,
  ThreadStreamEvent,
  TranscriptionResult,
} from './types'

type RequestOf<T extends ChatKitReq['type']> = Extract<ChatKitReq, { type: T }>
export type ParamsOf<T extends ChatKitReq['type']> =
  RequestOf<T> extends { params: infer P } ? P : RequestOf<T> extends { params?: infer P } ? P : never

interface Responses {
  'threads.get_by_id': Thread
  'threads.list': ThreadPage
  'items.list': ItemPage
  'items.feedback': Record<string, never>
  'attachments.create': Attachment
  'attachments.delete': Record<string, never>
  'input.transcribe': TranscriptionResult
  'threads.update': Thread
  'threads.delete': Record<string, never>
  'threads.sync_custom_action': SyncCustomActionResponse
}

export type RequestType = keyof Responses
export type StreamType = Exclude<ChatKitReq['type'], RequestType>

/** What went wrong between here and the server, in words for a person. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'

  constructor(
    readonly kind: 'network' | 'http' | 'format' | 'aborted',
    message: string,
    readonly status?: number,
  ) {
    super(message)
  }
}

export interface ClientOptions {
  url: string
  fetch?: typeof fetch
  locale?: string
  /** Milliseconds without a byte after which a stream is lost; servers send a sign of life. */
  idleTimeout?: number
}

interface Init {
  signal?: AbortSignal
  metadata?: Record<string, unknown>
}

const LOST = 'The connection to the server was lost.'

export class ProtocolClient {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
  }

  async request<T extends RequestType>(
    type: T,
    params: ParamsOf<T>,
    init: Init = {},
  ): Promise<Responses[T]> {
    const response = await this.#post(type, params, init)
    try {
      return (await response.json()) as Responses[T]
    } catch (error) {
      throw asProtocolError(error, init.signal, 'The server sent something that is no JSON.')
    }
  }

  /** Yield the events of an answer. Whoever stops to listen ends the answer. */
  async *stream<T extends StreamType>(
    type: T,
    params: ParamsOf<T>,
    init: Init = {},
  ): AsyncGenerator<ThreadStreamEvent, void, void> {
    const response = await this.#post(type, params, init)
    const kind = response.headers.get('content-type') ?? ''
    if (!kind.includes('text/event-stream') || response.body === null) {
      await response.body?.cancel().catch(() => {})
      throw new ProtocolError('format', 'The server did not answer with a stream of events.')
    }
    const events: ThreadStreamEvent[] = []
    const parser = createParser({
      onEvent: ({ data }) => {
        const event = parsed(data)
        if (event !== null) events.push(event)
      },
    })
    const decoder = new TextDecoder()
    const reader = response.body.getReader()
    let isWhole = false
    try {
      while (!isWhole) {
        const { done, value } = await this.#read(reader, init.signal)
        isWhole = done
        parser.feed(decoder.decode(value, { stream: true }))
        yield* events.splice(0)
      }
    } finally {
      if (!isWhole) await reader.cancel().catch(() => {})
    }
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<{ done: boolean; value?: Uint8Array }> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new ProtocolError('network', LOST)),
        this.#options.idleTimeout ?? 60_000,
      )
    })
    try {
      return await Promise.race([reader.read(), silence])
    } catch (error) {
      throw asProtocolError(error, signal, LOST)
    } finally {
      clearTimeout(timer)
    }
  }

  async #post(type: string, params: unknown, init: Init): Promise<Response> {
    let response: Response
    try {
      response = await (this.#options.fetch ?? fetch)(this.#options.url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...(this.#options.locale && { 'Accept-Language': this.#options.locale }),
        },
        body: JSON.stringify({ type, params, ...(init.metadata && { metadata: init.metadata }) }),
        ...(init.signal && { signal: init.signal }),
      })
    } catch (error) {
      throw asProtocolError(error, init.signal, 'The server cannot be reached.')
    }
    if (!response.ok) throw await refusal(response)
    return response
  }
}

function parsed(data: string): ThreadStreamEvent | null {
  try {
    const event: unknown = JSON.parse(data)
    if (typeof event === 'object' && event !== null && 'type' in event) {
      return event as ThreadStreamEvent
    }
  } catch {
    // One event that cannot be read is no reason to lose the others.
  }
  console.warn('An event that cannot be read is skipped.')
  return null
}

async function refusal(response: Response): Promise<ProtocolError> {
  let message = `The server answered with an error (${response.status}).`
  try {
    const body: unknown = await response.json()
    const reason = (body as { error?: unknown } | null)?.error
    if (typeof reason === 'string' && reason.length < 500) message = reason
  } catch {
    // Not every server says why.
  }
  return new ProtocolError('http', message, response.status)
}

function asProtocolError(
  error: unknown,
  signal: AbortSignal | undefined,
  message: string,
): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (signal?.aborted) return new ProtocolError('aborted', 'Stopped.')
  return new ProtocolError(error instanceof SyntaxError ? 'format' : 'network', message)
}
