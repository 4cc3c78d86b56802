/** The interface between the element and the app in its frame: plain calls, same origin. */

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

/** The state to restore when the element is removed from the page and put back. */
export interface Kept {
  threadId: string | null
}

/** The element's interface for the app, in the frame's property `chatkitHost`. */
export interface ChatHost {
  /** The state that the app in the element's previous frame left. */
  readonly kept: Kept | null
  /** Identifies the element in its page, also after a reload; empty for the first one. */
  readonly key: string
  /** Calls the listener now, if there are options, and whenever they change. */
  onOptions(listener: (options: unknown) => void): () => void
  emit: Emit
  /** Registers the app when it is ready; `keep` is called when the frame is removed. */
  attach(methods: ChatMethods, keep: () => Kept): void
}

declare global {
  interface HTMLIFrameElement {
    chatkitHost?: ChatHost
  }
}
