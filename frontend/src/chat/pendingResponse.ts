/** A request for a response, and the progress of the response. */

import type { ParamsOf, StreamType } from '../protocol/client'
import type { AnyEvent, Turn } from '../protocol/live'
import type { Sending } from './drafts'
import { randomId } from './live'

/** A request for a response. */
export interface ResponseRequest<T extends StreamType = StreamType> {
  type: T
  params: ParamsOf<T>
  metadata?: Record<string, unknown>
  /** The ID of a request that may have been sent before, which makes it safe to repeat. */
  requestId?: string
  /** The message being sent, if the request sends one. */
  sending?: Sending
  /** Called when the server accepts the request; `isLive` if it reports all changes as events. */
  onAccepted?: (isLive: boolean) => void
  /** Return true to handle an event, which then does not change the thread. */
  intercept?: (event: AnyEvent) => boolean
  /** Called when the message was not accepted; `isElsewhere` if another turn is running. */
  onReturned?: (isElsewhere: boolean) => void
  /** Called if the request fails, in place of the default error handling. */
  onFailure?: (error: unknown) => Promise<void>
}

/** How a response ended. */
export interface End {
  isStopped: boolean
  hasFailed: boolean
  /** The turn that ended, if the server reports turns. */
  turn: Turn | null
}

/** A response that this page requested, until it ends. */
export class PendingResponse {
  readonly abort = new AbortController()
  readonly requestId: string
  run: string | null = null
  /** The new thread that it created after the user left. */
  newThreadId: string | null = null
  /** Whether the request was sent and got no reply yet. */
  hasNoReply = false
  isAccepted = false
  isLive = false
  /** Whether its events arrive by following the thread. */
  isFollowed = false
  isStopped = false
  /** Whether the server refused it and gave a reason. */
  isRefused = false
  hasEnded = false
  end: () => void = () => {}
  readonly ended = new Promise<void>((resolve) => {
    this.end = () => {
      this.hasEnded = true
      resolve()
    }
  })

  constructor(readonly request: ResponseRequest) {
    this.requestId = request.requestId ?? randomId()
  }

  /** Return an edited message that was not accepted; return whether there is one. */
  returnEdit(): boolean {
    const { onReturned } = this.request
    if (this.isAccepted || onReturned === undefined) return false
    onReturned(false)
    return true
  }
}
