/** Renders components in a chat whose server is a function. */

import { cleanup, render as renderInDocument } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { afterEach } from 'vitest'

import { Chat } from '../src/chat/chat'
import { ChatContext } from '../src/ui/context'
import type { ChatHost } from '../src/element/host'
import type { Options } from '../src/element/options'
import type { ThreadStreamEvent } from '../src/protocol/types'

afterEach(cleanup)

// jsdom has no layout: nothing comes into view, and the pointer is a mouse.
window.IntersectionObserver ??= class {
  observe(): void {}
  disconnect(): void {}
} as unknown as typeof IntersectionObserver
window.matchMedia ??= () => ({ matches: false }) as MediaQueryList

/** A response, or an object as JSON, a list as a stream of events, a number as an error's status. */
export type Answer = object | ThreadStreamEvent[] | number

/** Returns the server's response to a request. */
export type Server = (type: string, params: Record<string, unknown>) => Answer | Promise<Answer>

export interface Rendered {
  chat: Chat
  /** The names of the events that the element would have sent. */
  events: string[]
  person: ReturnType<typeof userEvent.setup>
  /** Change the chat's options. */
  setOptions: (options: Partial<Options>) => void
  /** Render something else in the same place. */
  again: (content: ReactNode) => void
}

/** Render something in a chat whose texts are already loaded. */
export async function render(
  content: ReactNode,
  server: Server,
  options: Partial<Options> = {},
): Promise<Rendered> {
  const events: string[] = []
  const given: Options = {
    locale: 'en',
    ...options,
    api: {
      url: '/chatkit',
      domainKey: 'local',
      fetch: async (_url, init) => {
        const { type, params } = JSON.parse(String(init?.body)) as {
          type: string
          params: Record<string, unknown>
        }
        const answer = await server(type, params)
        if (answer instanceof Response) return answer
        if (typeof answer === 'number') return new Response('', { status: answer })
        if (!Array.isArray(answer)) return Response.json(answer)
        const events = answer.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
        return new Response(events, { headers: { 'Content-Type': 'text/event-stream' } })
      },
    },
  }
  let listen: (options: unknown) => void = () => {}
  const host: ChatHost = {
    kept: null,
    key: '',
    onOptions(listener) {
      listen = listener
      listener(given)
      return () => {}
    },
    emit: (...args) => void events.push(args[0]),
    attach() {},
  }
  const chat = new Chat(host)
  await chat.texts.use('en')
  const within = (inner: ReactNode) => <ChatContext value={chat}>{inner}</ChatContext>
  const { rerender } = renderInDocument(within(content))
  return {
    chat,
    events,
    person: userEvent.setup(),
    setOptions: (options) => listen({ ...given, ...options }),
    again: (other) => rerender(within(other)),
  }
}
