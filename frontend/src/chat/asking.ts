/** A request for an answer, and its progress. */

import type { ParamsOf, StreamType } from '../protocol/client'
import type { AnyEvent } from '../protocol/live'
import type { Sending } from './drafts'
import { randomId } from './live'

/** For how many milliseconds to wait for a network at most. */
const OFFLINE = 60_000

/** A request for an answer. */
export interface Ask<T extends StreamType = StreamType> {
  type: T
  params: ParamsOf<T>
  metadata?: Record<string, unknown>
  /** Makes the request safe to repeat, where it was sent before. */
  requestId?: string
  /** The message that is sent, if it is one. */
  sending?: Sending
  /** Called when the server does what it was asked for; `isLive` if it tells of all that it does. */
  onAccepted?: (isLive: boolean) => void
  /** Takes an event in place of the thread, if it returns true. */
  intercept?: (event: AnyEvent) => boolean
  /** Called when the message is not taken; `isElsewhere` if an answer to another is written. */
  onReturned?: (isElsewhere: boolean) => void
  /** Called in place of what usually happens if the request fails. */
  onFailure?: (error: unknown) => Promise<void>
}

/** A request of this page, until its answer has ended. */
export class Asking {
  readonly abort = new AbortController()
  readonly requestId: string
  run: string | null = null
  /** Whether the request was sent and has no reply yet. */
  isUnheard = false
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

  constructor(readonly ask: Ask) {
    this.requestId = ask.requestId ?? randomId()
  }
}

/** Wait for so long, or for the network if there is none. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, navigator.onLine ? milliseconds : OFFLINE)
    window.addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
