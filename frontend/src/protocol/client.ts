/** The client of a ChatKit server: sends requests, and reads streams of events. */

import { createParser } from 'eventsource-parser'

import type { Received, LiveParams, LiveResponses } from './live'
import type { FoundPage, SearchRequest } from './search'
import type {
  Attachment,
  ChatKitReq,
  ItemPage,
  SyncCustomActionResponse,
  Thread,
  ThreadPage,
  TranscriptionResult,
} from './types'

type AnyReq = ChatKitReq | SearchRequest
export type RequestOf<T extends AnyReq['type']> = Extract<AnyReq, { type: T }>
type AnyType = AnyReq['type'] | keyof LiveParams
export type ParamsOf<T extends AnyType> = T extends keyof LiveParams
  ? LiveParams[T]
  : T extends AnyReq['type']
    ? RequestOf<T> extends { params: infer P }
      ? P
      : RequestOf<T> extends { params?: infer P }
        ? P
        : never
    : never

interface Responses extends LiveResponses {
  'threads.get_by_id': Thread & { can_follow?: boolean }
  'threads.list': ThreadPage & { can_search?: boolean }
  'threads.search': FoundPage
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
export type StreamType = Exclude<AnyType, RequestType>

/** Thrown when a request to the server fails. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'

  constructor(
    readonly kind: 'unreachable' | 'lost' | 'http' | 'format' | 'aborted',
    message: string,
    readonly status?: number,
    /** The server's message for the user, if it sent one. */
    readonly reason?: string,
  ) {
    super(message)
  }
}

export interface ClientOptions {
  url: string
  fetch?: typeof fetch
  locale?: string
  /** Milliseconds without a byte after which a stream is lost; servers send keep-alives. */
  idleTimeout?: number
  /** Called when each response starts, and when a request gets none. */
  onAnswer?: (answer: { type: string; status: number | null; milliseconds: number }) => void
}

interface Init {
  signal?: AbortSignal
  metadata?: Record<string, unknown>
}

const LOST = 'The connection to the server was lost.'
const UNREACHABLE = 'The server cannot be reached.'
const NO_JSON = 'The server did not send valid JSON.'

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
      throw asProtocolError(error, init.signal, error instanceof SyntaxError ? NO_JSON : LOST)
    }
  }

  /**
   * Yield the events of a stream. Leaving the loop over the events closes the stream.
   *
   * Returns the milliseconds to wait before the next request, or `null` if the server does not say.
   */
  async *stream<T extends StreamType>(
    type: T,
    params: ParamsOf<T>,
    init: Init = {},
  ): AsyncGenerator<Received, number | null, void> {
    // A server that never starts to respond is as lost as one that falls silent.
    const giveUp = new AbortController()
    const signal = AbortSignal.any([giveUp.signal, ...(init.signal ? [init.signal] : [])])
    let response: Response
    try {
      response = await this.#withTimeout(this.#post(type, params, { ...init, signal }))
    } catch (error) {
      giveUp.abort()
      throw error
    }
    const kind = response.headers.get('content-type')?.toLowerCase() ?? ''
    if (!kind.includes('text/event-stream') || response.body === null) {
      await response.body?.cancel().catch(() => {})
      throw new ProtocolError('format', 'The server did not respond with an event stream.')
    }
    const events: Received[] = []
    let retry: number | null = null
    const parser = createParser({
      onEvent: ({ id, data }) => {
        const event = parsed(data)
        if (event !== null) events.push({ id: id ?? null, event })
      },
      onRetry: (milliseconds) => {
        retry = milliseconds
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
    return retry
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<{ done: boolean; value?: Uint8Array }> {
    try {
      return await this.#withTimeout(reader.read())
    } catch (error) {
      throw asProtocolError(error, signal, LOST)
    }
  }

  /** Wait for a promise; throw an error if it takes so long that the server must be gone. */
  async #withTimeout<T>(awaited: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new ProtocolError('lost', LOST)),
        this.#options.idleTimeout ?? 60_000,
      )
    })
    try {
      return await Promise.race([awaited, silence])
    } finally {
      clearTimeout(timer)
    }
  }

  async #post(type: string, params: unknown, init: Init): Promise<Response> {
    let response: Response | undefined
    const started = performance.now()
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
      throw asProtocolError(error, init.signal, UNREACHABLE, 'unreachable')
    } finally {
      const milliseconds = Math.round(performance.now() - started)
      this.#options.onAnswer?.({ type, status: response?.status ?? null, milliseconds })
    }
    if (!response.ok) throw await refusal(response, init.signal)
    return response
  }
}

function parsed(data: string): Received['event'] | null {
  try {
    const event: unknown = JSON.parse(data)
    if (
      typeof event === 'object' &&
      event !== null &&
      'type' in event &&
      typeof event.type === 'string'
    ) {
      return event as Received['event']
    }
  } catch {
    // Skip this event only.
  }
  console.warn('Skipped an event that cannot be read.')
  return null
}

async function refusal(
  response: Response,
  signal: AbortSignal | undefined,
): Promise<ProtocolError> {
  const message = `The server returned an error (${response.status}).`
  try {
    const body: unknown = await response.json()
    const reason = (body as { error?: unknown } | null)?.error
    if (typeof reason === 'string' && isPlain(reason)) {
      return new ProtocolError('http', reason, response.status, reason)
    }
  } catch (error) {
    // Not every server gives a reason.
    if (signal?.aborted) return asProtocolError(error, signal, message)
  }
  return new ProtocolError('http', message, response.status)
}

/** Return whether a text is readable for users: proxies respond with whole HTML pages. */
function isPlain(text: string): boolean {
  return text.trim() !== '' && text.length < 500 && !/<[a-z!/]/i.test(text)
}

function asProtocolError(
  error: unknown,
  signal: AbortSignal | undefined,
  message: string,
  kind: ProtocolError['kind'] = 'lost',
): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (signal?.aborted) return new ProtocolError('aborted', 'Stopped.')
  return new ProtocolError(error instanceof SyntaxError ? 'format' : kind, message)
}
