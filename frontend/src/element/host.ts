/** What the element and the app within its frame say to each other: plain calls, same origin. */

import type { ChatKitEvents, OpenAIChatKit } from '@openai/chatkit'

import type { Options } from './options'

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

type Detail<K extends keyof ChatKitEvents> = ChatKitEvents[K] extends CustomEvent<infer D>
  ? D
  : never

/** Dispatches an event of the element. */
export type Emit = <K extends keyof ChatKitEvents>(
  ...args: Detail<K> extends void ? [name: K] : [name: K, detail: Detail<K>]
) => void

/** What the app is started with, as the frame's property `chatkitHost`. */
export interface ChatHost {
  readonly options: Options | null
  /** Calls back now, if there are options, and whenever they change. */
  onOptions(listener: (options: Options) => void): () => void
  emit: Emit
  /** Says that the app is ready to be called. */
  attach(methods: ChatMethods): void
}

declare global {
  interface HTMLIFrameElement {
    chatkitHost?: ChatHost
  }
}
