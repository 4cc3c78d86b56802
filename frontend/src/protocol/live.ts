/** What a server that can be followed says beyond ChatKit's protocol. */

import type { EndOfTurnItem, ThreadItem, ThreadMetadata, ThreadStreamEvent } from './types'

export interface Turn {
  id: string
  state: string
  ended_at: string | null
}

/** A thread as it is listed. */
export type ListedThread = ThreadMetadata & { turn?: Turn | null }

/** How a thread stands at one point in time. */
export interface ThreadStateEvent {
  type: 'thread.state'
  can_follow: true
  thread: ThreadMetadata
  /** The newest first. */
  items: { data: ThreadItem[]; has_more?: boolean; after?: string | null }
  open_items: ThreadItem[]
  turn: Turn | null
}

export type LiveEvent =
  | ThreadStateEvent
  | { type: 'turn.updated'; turn: Turn }
  | { type: 'thread.deleted'; thread_id: string }
  | { type: 'threads.changed'; thread: ListedThread }
  | { type: 'threads.deleted'; thread_id: string }

export type AnyEvent = ThreadStreamEvent | LiveEvent

/** An event as it comes from the server. */
export interface Heard {
  /** After which one may resume, `<run>.<number>`. */
  id: string | null
  event: AnyEvent & { can_follow?: boolean }
}

/** How a turn ended that did not simply complete. */
export type TurnEndItem = EndOfTurnItem & {
  turn_id?: string
  state?: string
  message?: string | null
  allow_retry?: boolean
}

/** Requests that only such a server knows, and their parameters. */
export interface LiveParams {
  'threads.follow': { thread_id: string; after: string | null; list?: boolean }
  'threads.stop': { thread_id: string; turn_id?: string }
  'threads.claim_tool': { thread_id: string; item_id: string }
}

export interface LiveResponses {
  'threads.stop': { status: 'stopped' | 'idle' | 'stopping' }
  'threads.claim_tool': { status: 'claimed' | 'taken' | 'closed' }
}

/** Return the run that an event's id names. */
export function runOf(id: string | null): string | null {
  return id === null ? null : id.slice(0, id.lastIndexOf('.'))
}
