/** The state that a chat's parts share, with the app around it and the server's client. */

import type { CustomApiConfig } from '@openai/chatkit'

import type { ChatHost } from '../element/host'
import type { Options } from '../element/options'
import { Texts } from '../i18n/texts'
import { ProtocolError, type ProtocolClient } from '../protocol/client'
import { emptyThread, type ThreadState } from '../protocol/thread'
import { Choices } from './choices'
import { Drafts, type Draft, type Sending } from './drafts'
import { Store, until } from './store'
import { Uploads } from './uploads'

export interface ChatState {
  options: Options | null
  /** The error in the options, for the page's developer. */
  configError: string | null
  /** A message for each invalid option, also for the page's developer. */
  problems: readonly string[]
  threadId: string | null
  thread: ThreadState
  isLoading: boolean
  loadError: string | null
  /** The cursor of the next page of older items; `null` if there are no more. */
  older: string | null
  isLoadingOlder: boolean
  isResponding: boolean
  /** Whether the user asked to stop the response in progress. */
  isStopping: boolean
  /** Whether the server can be reached, as far as is known. */
  isConnected: boolean
  /** The message being sent, until the server confirms it. */
  sending: Sending | null
  view: 'thread' | 'history'
  draft: Draft
  toolId: string | null
  modelId: string | null
  /** Whether the user chose the model after opening the thread. */
  isModelChosen: boolean
}

/** Return whether messages can be edited now. */
export function mayEdit({ options, isResponding, thread }: ChatState): boolean {
  const isActive = (thread.thread?.status ?? { type: 'active' }).type === 'active'
  return options?.threadItemActions?.edit === true && !isResponding && isActive
}

export class Session {
  readonly texts = new Texts()
  readonly choices = new Choices()
  readonly drafts = new Drafts(() => new Uploads(() => this.api, this.texts))
  readonly state = new Store<ChatState>({
    options: null,
    configError: null,
    problems: [],
    threadId: null,
    thread: emptyThread,
    isLoading: false,
    loadError: null,
    older: null,
    isLoadingOlder: false,
    isResponding: false,
    isStopping: false,
    isConnected: true,
    sending: null,
    view: 'thread',
    draft: this.drafts.of(null),
    toolId: null,
    modelId: null,
    isModelChosen: false,
  })
  client: ProtocolClient | null = null

  constructor(readonly host: ChatHost) {}

  get current(): ChatState {
    return this.state.get()
  }

  get api(): CustomApiConfig | null {
    return this.current.configError === null
      ? ((this.current.options?.api as CustomApiConfig | undefined) ?? null)
      : null
  }

  /** Report a problem to the app. Users do not see it. */
  reportProblem(message: string): void {
    this.report(new Error(message))
  }

  /** Report an error to the app. */
  report(error: unknown): void {
    this.host.emit('chatkit.error', { error: error as Error })
  }

  /** Run a task when no response is in progress, unless the user leaves the thread before. */
  async whenIdle(threadId: string, task: () => Promise<unknown>): Promise<void> {
    const isWaiting = (): boolean => {
      const { threadId: open, isResponding } = this.current
      return open === threadId && isResponding
    }
    // When a response ends, another request may be faster.
    while (isWaiting()) await until(this.state, () => !isWaiting())
    if (this.current.threadId === threadId) await task()
  }

  chooseTool(toolId: string | null): void {
    if (toolId === this.current.toolId) return
    this.state.set({ toolId })
    this.choices.keep({ toolId })
    this.host.emit('chatkit.tool.change', { toolId })
  }

  /** Return the message that explains an error to the user. */
  explain(error: unknown): string {
    const { say } = this.texts
    if (!(error instanceof ProtocolError)) return say('failed')
    switch (error.kind) {
      case 'lost':
        return say('connectionLost')
      case 'unreachable':
        return say('unreachable')
      case 'http':
        return error.reason ?? say('serverError', { status: error.status ?? 0 })
      default:
        return say('unreadable')
    }
  }
}

export function isAborted(error: unknown): boolean {
  return error instanceof ProtocolError && error.kind === 'aborted'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
