/** An extension of ChatKit's protocol, with which clients follow threads. */

import type { EndOfTurnItem, ThreadItem, ThreadMetadata, ThreadStreamEvent } from './types'

export interface Turn {
  id: string
  state: string
  ended_at: string | null
}

/** A thread in the list of threads. */
export type ListedThread = ThreadMetadata & { turn?: Turn | null }

/** The state of a thread at one point in time. */
export interface ThreadStateEvent {
  type: 'thread.state'
  can_follow: true
  thread: ThreadMetadata
  /** Newest first. */
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

/** An event received from the server. */
export interface Received {
  /** The event's ID, `<run>.<number>`, after which a stream can resume. */
  id: string | null
  event: AnyEvent & { can_follow?: boolean }
}

/** Marks the end of a turn that did not complete normally. */
export type TurnEndItem = EndOfTurnItem & {
  turn_id?: string
  state?: string
  message?: string | null
  allow_retry?: boolean
}

/** The parameters of the extension's requests. */
export interface LiveParams {
  'threads.follow': { thread_id: string; after: string | null; list?: boolean }
  'threads.stop': { thread_id: string; turn_id?: string }
  'threads.claim_tool': { thread_id: string; item_id: string }
}

export interface LiveResponses {
  'threads.stop': { status: 'stopped' | 'idle' | 'stopping' }
  'threads.claim_tool': { status: 'claimed' | 'taken' | 'closed' }
}

/** Return the run that an event's ID names. */
export function runOf(id: string | null): string | null {
  return id === null ? null : id.slice(0, id.lastIndexOf('.'))
}

/** Return whether an event comes before another event of the same run. */
export function isBefore(id: string | null, other: string | null): boolean {
  if (id === null || other === null || runOf(id) !== runOf(other)) return false
  return numberOf(id) < numberOf(other)
}

function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('.') + 1))
}
