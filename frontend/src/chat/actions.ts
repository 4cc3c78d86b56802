/** Actions, sent by widgets or by the app itself. */

import type { ChatMethods } from '../element/host'
import { ProtocolError } from '../protocol/client'
import type { AnyEvent } from '../protocol/live'
import type { ErrorEvent, NoticeEvent, WidgetItem } from '../protocol/types'
import type { Responses } from './responses'
import { messageOf, type Session } from './session'

/** Thrown when an action fails; the message is shown to the user. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
}

export type LoadingBehavior = 'auto' | 'none' | 'self' | 'container'

/** The action of a widget's component, such as a button. */
export interface Action {
  type: string
  payload?: unknown
  /** Where the action is handled: in the page or on the server. */
  handler: 'client' | 'server'
  loadingBehavior: LoadingBehavior
  /** Whether the server streams events in response; otherwise it returns the changed item. */
  streaming: boolean
}

type AnyAction = Pick<Action, 'type' | 'payload'>
export type SentAction = Parameters<ChatMethods['sendCustomAction']>[0]

/** Return an action in the form that the app and the server receive. */
function asSent(action: AnyAction): SentAction {
  const { type, payload } = action
  return { type, ...(payload !== undefined && { payload: payload as Record<string, unknown> }) }
}

export class Actions {
  readonly #session: Session
  readonly #responses: Responses
  readonly #load: (threadId: string) => Promise<unknown>

  constructor(
    session: Session,
    responses: Responses,
    load: (threadId: string) => Promise<unknown>,
  ) {
    this.#session = session
    this.#responses = responses
    this.#load = load
  }

  /** Send an action for the app; if that fails, show the error in the thread and return it. */
  async send(action: SentAction, itemId?: string): Promise<Error | null> {
    try {
      await this.#stream(action, itemId, false)
      return null
    } catch (error) {
      this.show(messageOf(error))
      return error as Error
    }
  }

  /** Show an action's error in the thread, because its widget is gone. */
  show(message: string): void {
    const error = { code: 'action', message, allowRetry: false }
    this.#session.state.set({ thread: { ...this.#session.current.thread, error } })
  }

  /**
   * Perform a widget's action.
   *
   * Throws an `ActionError` if it fails; the message is shown to the user.
   */
  async act(action: Action, item: WidgetItem): Promise<void> {
    if (action.handler === 'client') await this.#tell(action, item)
    else if (action.streaming) await this.#stream(action, item.id, true)
    else await this.#ask(action, item.id)
  }

  /** Pass an action to the app, which handles it. */
  async #tell(action: Action, item: WidgetItem): Promise<void> {
    try {
      const onAction = this.#session.current.options?.widgets?.onAction
      if (onAction === undefined) {
        throw new Error(`This page has no widgets.onAction to handle the action ${action.type}.`)
      }
      const widget = item.widget as unknown as Parameters<typeof onAction>[1]['widget']
      await onAction(asSent(action), { id: item.id, widget })
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Wait until the thread is idle, then send an action that returns the changed item. */
  async #ask(action: Action, itemId: string): Promise<void> {
    const { threadId } = this.#session.current
    if (threadId === null) return
    const params = { thread_id: threadId, item_id: itemId, action: asSent(action) }
    await this.#session.whenIdle(threadId, async () => {
      try {
        const answer = await this.#session.client?.request('threads.sync_custom_action', params)
        const item = answer?.updated_item
        if (item && this.#session.current.threadId === threadId) {
          this.#responses.take({ type: 'thread.item.replaced', item })
        }
      } catch (error) {
        throw this.#failed(error)
      }
    })
  }

  /** Wait until the thread is idle, then send an action that streams events. */
  async #stream(action: AnyAction, itemId: string | undefined, isOfWidget: boolean): Promise<void> {
    const { threadId } = this.#session.current
    if (threadId === null) return
    const params = {
      thread_id: threadId,
      ...(itemId !== undefined && { item_id: itemId }),
      action: asSent(action),
    }
    const outcome = new Outcome()
    let failure: ActionError | null = null
    const request = {
      type: 'threads.custom_action' as const,
      params,
      intercept: outcome.take,
      onFailure: async (error: unknown) => {
        failure = this.#failed(error)
        await this.#load(threadId)
      },
    }
    // If the user leaves the thread, the action no longer applies.
    await this.#session.whenIdle(threadId, () => this.#responses.respond(request))
    if (outcome.error !== null) {
      this.#session.reportProblem(outcome.error.message ?? outcome.error.code ?? 'error')
      failure = new ActionError(outcome.error.message ?? this.#session.texts.say('actionFailed'))
    }
    if (this.#session.current.threadId !== threadId) return
    // Notices without any change explain why nothing happened: show them at the widget.
    if (isOfWidget && !outcome.hasChanges && failure === null && outcome.notices.length > 0) {
      failure = new ActionError(outcome.notices.map((notice) => notice.message).join(' '))
    } else {
      for (const notice of outcome.notices) this.#responses.take(notice)
    }
    if (failure !== null) throw failure
  }

  /** Report an action's error to the app, and return an error with a message for the user. */
  #failed(error: unknown): ActionError {
    this.#session.report(error)
    const isOffline =
      error instanceof ProtocolError && (error.kind === 'lost' || error.kind === 'unreachable')
    const reason = error instanceof ProtocolError ? error.reason : undefined
    return new ActionError(
      isOffline
        ? this.#session.explain(error)
        : (reason ?? this.#session.texts.say('actionFailed')),
    )
  }
}

/** Collects an action's error and notices, to show them where the user acted. */
class Outcome {
  error: ErrorEvent | null = null
  readonly notices: NoticeEvent[] = []
  hasChanges = false

  take = (event: AnyEvent): boolean => {
    if (event.type === 'error') this.error = event
    else if (event.type === 'notice' && event.level !== 'info') this.notices.push(event)
    else {
      this.hasChanges ||= event.type.startsWith('thread.item.')
      return false
    }
    return true
  }
}
