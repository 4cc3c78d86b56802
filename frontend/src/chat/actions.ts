/** Actions: those of widgets, and those that apps send themselves. */

import type { ChatMethods } from '../element/host'
import { ProtocolError } from '../protocol/client'
import type { AnyEvent } from '../protocol/live'
import type { ErrorEvent, NoticeEvent, WidgetItem } from '../protocol/types'
import type { Responses } from './responses'
import { messageOf, type Session } from './session'

/** An action failed; the message is for the person. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
}

export type LoadingBehavior = 'auto' | 'none' | 'self' | 'container'

/** The action of a widget's component, such as a button. */
export interface Action {
  type: string
  payload?: unknown
  /** Who handles the action: the page or the server. */
  handler: 'client' | 'server'
  loadingBehavior: LoadingBehavior
  /** Whether the server streams events in reply; otherwise it returns the changed item. */
  streaming: boolean
}

type AnyAction = Pick<Action, 'type' | 'payload'>
export type SentAction = Parameters<ChatMethods['sendCustomAction']>[0]

/** Return an action as the app and the server know it. */
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

  /** Take an action of the app itself; show an error in the thread, and return it. */
  async send(action: SentAction, itemId?: string): Promise<Error | null> {
    try {
      await this.#stream(action, itemId, false)
      return null
    } catch (error) {
      this.show(messageOf(error))
      return error as Error
    }
  }

  /** Show the error of an action whose widget is gone. */
  show(message: string): void {
    const error = { code: 'action', message, allowRetry: false }
    this.#session.state.set({ thread: { ...this.#session.current.thread, error } })
  }

  /**
   * Take an action of a widget.
   *
   * Throws an `ActionError` if it fails; the message is for the person.
   */
  async act(action: Action, item: WidgetItem): Promise<void> {
    if (action.handler === 'client') await this.#tell(action, item)
    else if (action.streaming) await this.#stream(action, item.id, true)
    else await this.#ask(action, item.id)
  }

  /** Tell the app of an action that it takes itself. */
  async #tell(action: Action, item: WidgetItem): Promise<void> {
    try {
      const onAction = this.#session.current.options?.widgets?.onAction
      if (onAction === undefined) {
        throw new Error(`This page has no widgets.onAction, and ${action.type} asks for it.`)
      }
      const widget = item.widget as unknown as Parameters<typeof onAction>[1]['widget']
      await onAction(asSent(action), { id: item.id, widget })
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Send an action that is answered with its item as it is then, once no answer is being written. */
  async #ask(action: Action, itemId: string): Promise<void> {
    const { threadId } = this.#session.current
    await this.#responses.idle()
    if (
      this.#session.client === null ||
      threadId === null ||
      this.#session.current.threadId !== threadId
    )
      return
    const params = { thread_id: threadId, item_id: itemId, action: asSent(action) }
    try {
      const { updated_item: item } = await this.#session.client.request(
        'threads.sync_custom_action',
        params,
      )
      if (item && this.#session.current.threadId === threadId) {
        this.#responses.take({ type: 'thread.item.replaced', item })
      }
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Send an action that is answered with a stream, once no other answer is being written. */
  async #stream(action: AnyAction, itemId: string | undefined, isOfWidget: boolean): Promise<void> {
    const { threadId } = this.#session.current
    if (threadId === null) return
    await this.#responses.idle()
    // The person has left the thread, and with it the action.
    if (this.#session.current.threadId !== threadId) return
    const params = {
      thread_id: threadId,
      ...(itemId !== undefined && { item_id: itemId }),
      action: asSent(action),
    }
    const outcome = new Outcome()
    let failure: ActionError | null = null
    await this.#responses.respond({
      type: 'threads.custom_action',
      params,
      intercept: outcome.take,
      onFailure: async (error) => {
        failure = this.#failed(error)
        await this.#load(threadId)
      },
    })
    if (outcome.error !== null) {
      this.#session.complain(outcome.error.message ?? outcome.error.code ?? 'error')
      failure = new ActionError(outcome.error.message ?? this.#session.texts.say('actionFailed'))
    }
    if (this.#session.current.threadId !== threadId) return
    // A notice that comes alone says why nothing has happened, to be read where that was.
    if (isOfWidget && !outcome.hasDone && failure === null && outcome.notices.length > 0) {
      failure = new ActionError(outcome.notices.map((notice) => notice.message).join(' '))
    } else {
      for (const notice of outcome.notices) this.#responses.take(notice)
    }
    if (failure !== null) throw failure
  }

  /** Tell the app of what went wrong with an action, and return it in words for a person. */
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

/** The outcome of an action: its error and notices are for the person who acted. */
class Outcome {
  error: ErrorEvent | null = null
  readonly notices: NoticeEvent[] = []
  hasDone = false

  take = (event: AnyEvent): boolean => {
    if (event.type === 'error') this.error = event
    else if (event.type === 'notice' && event.level !== 'info') this.notices.push(event)
    else {
      this.hasDone ||= event.type.startsWith('thread.item.')
      return false
    }
    return true
  }
}
