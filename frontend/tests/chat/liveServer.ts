/** A server in memory with one thread that clients can follow; its network can be cut. */

import { Chat } from '../../src/chat/chat'
import type { Options } from '../../src/element/options'
import type { AnyEvent, ThreadStateEvent, Turn } from '../../src/protocol/live'
import { emptyThread, reduce } from '../../src/protocol/thread'
import type { ThreadItem } from '../../src/protocol/types'

interface Entry {
  id: string
  event: AnyEvent
}

interface Given {
  type: string
  params: {
    thread_id?: string
    after?: string | null
    item_id?: string
    input?: { content: { text: string }[] }
  }
  metadata?: { request_id?: string; page_id?: string; turn_ends?: boolean }
}

interface Listener {
  send: (entries: Entry[], extra?: object) => void
  end: () => void
  cut: () => void
}

const at = '2026-01-01T00:00:00Z'
/** Events that are sent only once, and are in no log. */
const PASSING = ['notice', 'client_effect', 'progress_update']

export class LiveServer {
  readonly asked: string[] = []
  readonly claims: string[] = []
  log: Entry[] = []
  state = emptyThread
  isDown = false
  /** Whether the server responds with an error. */
  isFailing = false
  /** Whether the user's login has expired. */
  isExpired = false
  /** Whether the server drops requests without an error. */
  isSwallowing = false
  /** Whether responses are lost on their way back. */
  isDeaf = false
  /** Delays the responses to all requests except `threads.follow`. */
  gate: Promise<void> | null = null
  /** Delays the responses to `threads.follow`. */
  followGate: Promise<void> | null = null
  /** Delays the events of a request's stream after the first one. */
  late: Promise<void> | null = null
  #follows = new Set<Listener>()
  #listeners = new Set<Listener>()
  #requests = new Map<string, string>()
  #run = 0
  #number = 0

  constructor(readonly threadId = 't1') {}

  get run(): string {
    return `r${this.#run}`
  }

  get follows(): number {
    return this.#follows.size
  }

  /** Delay the responses or events of a gate until the returned function is called. */
  hold(gate: 'gate' | 'followGate' | 'late'): () => void {
    let release = (): void => {}
    this[gate] = new Promise((resolve) => (release = resolve))
    return release
  }

  emit(...events: AnyEvent[]): void {
    const entries = events.map((event) => ({ id: `${this.run}.${++this.#number}`, event }))
    for (const { event } of entries) this.state = reduce(this.state, event)
    this.log.push(...entries.filter(({ event }) => !PASSING.includes(event.type)))
    for (const listener of [...this.#follows]) listener.send(entries)
    const listeners = [...this.#listeners]
    void Promise.resolve(this.late).then(() => {
      for (const { send } of listeners) send(entries)
    })
  }

  /** Start a turn, as a request does. */
  begin(text: string, requestId?: string): string {
    this.#run += 1
    this.#number = 0
    if (requestId !== undefined) this.#requests.set(requestId, this.run)
    const id = `msg-${this.#run}`
    const content = [{ type: 'input_text' as const, text }]
    const message = {
      id,
      thread_id: this.threadId,
      created_at: at,
      type: 'user_message',
      content,
      attachments: [],
    }
    this.emit(
      { type: 'thread.item.done', item: message as unknown as ThreadItem },
      { type: 'turn.updated', turn: { id, state: 'running', ended_at: null } },
    )
    return this.run
  }

  open(): void {
    const item = {
      id: `${this.run}-answer`,
      thread_id: this.threadId,
      created_at: at,
      type: 'assistant_message',
      content: [],
    }
    this.emit({ type: 'thread.item.added', item: item as unknown as ThreadItem })
  }

  say(delta: string): void {
    const update = {
      type: 'assistant_message.content_part.text_delta' as const,
      content_index: 0,
      delta,
    }
    this.emit({ type: 'thread.item.updated', item_id: `${this.run}-answer`, update })
  }

  finish(state = 'completed'): void {
    const item = this.state.items.find(({ id }) => id === `${this.run}-answer`)
    if (item !== undefined) this.emit({ type: 'thread.item.done', item })
    const turn: Turn = { id: `msg-${this.#run}`, state, ended_at: at }
    if (!['completed', 'waiting'].includes(state)) {
      const end = {
        id: `end-${this.#run}`,
        thread_id: this.threadId,
        created_at: at,
        type: 'end_of_turn',
        state,
      }
      this.emit({ type: 'thread.item.done', item: end as unknown as ThreadItem })
    }
    this.emit({ type: 'turn.updated', turn })
  }

  /** Lose all connections. */
  cut(): void {
    for (const listener of [...this.#follows]) listener.cut()
  }

  fetch = async (_url: unknown, init?: RequestInit): Promise<Response> => {
    if (this.isDown) throw new TypeError('There is no network.')
    const given = JSON.parse(String(init?.body)) as Given
    this.asked.push(given.type)
    if (this.isFailing && given.type !== 'threads.follow') return new Response('', { status: 500 })
    if (this.isExpired) return Response.json({ error: 'Log in first.' }, { status: 401 })
    if (this.isSwallowing) return aborted(init?.signal)
    if (given.type === 'threads.follow') await this.followGate
    const answer = this.#answer(given, init?.signal ?? null)
    if (given.type !== 'threads.follow') await Promise.race([this.gate, aborted(init?.signal)])
    if (this.isDeaf && given.type !== 'threads.follow') throw new TypeError('The answer is lost.')
    return answer
  }

  #answer({ type, params, metadata }: Given, signal: AbortSignal | null): Response {
    const thread = { id: this.threadId, created_at: at, status: { type: 'active' } }
    switch (type) {
      case 'threads.get_by_id':
        return Response.json({ ...thread, can_follow: true, turn: this.state.turn })
      case 'items.list':
        return Response.json({ data: [...this.state.items].reverse(), has_more: false })
      case 'threads.stop':
        this.finish('stopped')
        return Response.json({ status: 'stopped' })
      case 'threads.claim_tool':
        this.claims.push(String(metadata?.page_id))
        return Response.json({ status: this.claims[0] === metadata?.page_id ? 'claimed' : 'taken' })
      case 'threads.follow':
        return this.#follow(params.after ?? null, signal)
      default:
        return this.#respond(type, params, metadata?.request_id ?? '', signal)
    }
  }

  #respond(
    type: string,
    params: Given['params'],
    requestId: string,
    signal: AbortSignal | null,
  ): Response {
    const known = this.#requests.get(requestId)
    if (known === undefined && this.state.turn?.state === 'running') {
      const notice = { type: 'notice', level: 'warning', message: 'Busy.' }
      return events((listener) => {
        listener.send([{ id: '', event: notice as AnyEvent }])
        listener.end()
        return undefined
      }, signal)
    }
    const text = params.input?.content.map((part) => part.text).join('') ?? type
    const run = known ?? this.begin(text, requestId)
    const entries = this.log.filter(({ id }) => id.startsWith(`${run}.`))
    return events((listener) => {
      listener.send([{ id: `${run}.0`, event: created(type, this.threadId) }], { can_follow: true })
      listener.send(entries)
      if (run !== this.run || this.state.turn?.state !== 'running') listener.end()
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    }, signal)
  }

  #follow(after: string | null, signal: AbortSignal | null): Response {
    return events((listener) => {
      const index = this.log.findIndex(({ id }) => id === after)
      if (index >= 0) listener.send(this.log.slice(index + 1))
      else listener.send([{ id: this.log.at(-1)?.id ?? '', event: this.#stand() }])
      this.#follows.add(listener)
      return () => this.#follows.delete(listener)
    }, signal)
  }

  #stand(): ThreadStateEvent {
    const { items, open, turn } = this.state
    return {
      type: 'thread.state',
      can_follow: true,
      thread: {
        id: this.threadId,
        created_at: at,
        status: { type: 'active' },
      } as ThreadStateEvent['thread'],
      items: { data: items.filter(({ id }) => !open.has(id)).reverse(), has_more: false },
      open_items: items.filter(({ id }) => open.has(id)),
      turn,
    }
  }
}

/** Return the first event of a request's stream, which contains the ID of a new thread. */
function created(type: string, threadId: string): AnyEvent {
  const thread = { id: threadId, created_at: at, status: { type: 'active' } }
  return (
    type === 'threads.create'
      ? { type: 'thread.created', thread }
      : { type: 'stream_options', stream_options: { allow_cancel: true } }
  ) as AnyEvent
}

/** A stream of events that lasts as long as the client listens. */
function events(
  begin: (listener: Listener) => (() => void) | undefined,
  signal: AbortSignal | null,
): Response {
  const encoder = new TextEncoder()
  let close: () => void = () => {}
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let isOpen = true
      const over = (end: () => void) => () => {
        if (isOpen) end()
        isOpen = false
        close()
      }
      const left = begin({
        send: (entries, extra = {}) => {
          for (const { id, event } of isOpen ? entries : []) {
            const data = JSON.stringify({ ...event, ...extra })
            controller.enqueue(encoder.encode(`${id === '' ? '' : `id: ${id}\n`}data: ${data}\n\n`))
          }
        },
        end: over(() => controller.close()),
        cut: over(() => controller.error(new TypeError('The connection is lost.'))),
      })
      close = left ?? close
      signal?.addEventListener(
        'abort',
        over(() => controller.error(new DOMException('', 'AbortError'))),
      )
    },
    cancel: () => close(),
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}

export interface Page {
  chat: Chat
  /** The events that the element would have dispatched. */
  events: string[]
  texts: () => string[]
  setOptions: (options: Partial<Options>) => void
}

/** Open a chat with the server, as each tab does. */
export async function open(
  server: LiveServer,
  options: Partial<Options> = {},
  key = '',
): Promise<Page> {
  const sent: string[] = []
  const given = {
    locale: 'en',
    ...options,
    api: { url: '/chatkit', domainKey: 'local', fetch: server.fetch },
  } as Options
  let setOptions: Page['setOptions'] = () => {}
  const chat = new Chat({
    kept: null,
    key,
    onOptions(listener) {
      setOptions = (changed) => listener({ ...given, ...changed })
      listener(given)
      return () => {}
    },
    emit: (...args) => void sent.push(args[0]),
    attach() {},
  })
  await chat.texts.use('en')
  const texts = (): string[] =>
    chat.state
      .get()
      .thread.items.flatMap((item) =>
        item.type === 'user_message' || item.type === 'assistant_message'
          ? [item.content.map((part) => part.text).join('')]
          : [`<${item.type}>`],
      )
  return { chat, events: sent, texts, setOptions }
}

async function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')))
  })
}
