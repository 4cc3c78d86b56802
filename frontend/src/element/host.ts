/** What the element and the app within its frame say to each other: plain calls, same origin. */

import type { ChatKitEvents, OpenAIChatKit } from '@openai/chatkit'

type MethodName =
  | 'focusComposer'
  | 'setThreadId'
  | 'sendUserMessage'
  | 'setComposerValue'
  | 'fetchUpdates'
  | 'sendCustomAction'
  | 'showHistory'
  | 'hideHistory'

/** The methods of the element that the app carries out. */
export type ChatMethods = Pick<OpenAIChatKit, MethodName>

type Detail<K extends keyof ChatKitEvents> =
  ChatKitEvents[K] extends CustomEvent<infer D> ? D : never

/** Dispatches an event of the element. */
export type Emit = <K extends keyof ChatKitEvents>(
  ...args: Detail<K> extends void ? [name: K] : [name: K, detail: Detail<K>]
) => void

/** What is the same again when the element is taken out of the page and put back. */
export interface Kept {
  threadId: string | null
}

/** What the app is started with, as the frame's property `chatkitHost`. */
export interface ChatHost {
  /** What the app of an earlier frame of the element has left. */
  readonly kept: Kept | null
  /** Tells the element from others in its page, before and after a reload; empty for the first. */
  readonly key: string
  /** Calls back now, if there are options, and whenever they change. */
  onOptions(listener: (options: unknown) => void): () => void
  emit: Emit
  /** Says that the app is ready to be called. `keep` is called when the frame goes. */
  attach(methods: ChatMethods, keep: () => Kept): void
}

declare global {
  interface HTMLIFrameElement {
    chatkitHost?: ChatHost
  }
}
