/** Asks the server to stop turns. */

import type { ProtocolClient } from '../protocol/client'
import type { Received, Turn } from '../protocol/live'
import type { PendingResponse } from './pendingResponse'
import { repeatedly } from './retry'

export type StopStatus = 'stopped' | 'idle' | 'stopping'

/** Stop a turn, and return what the server did. */
export async function requestStop(
  client: ProtocolClient,
  threadId: string,
  turn: Turn | null,
): Promise<StopStatus> {
  const turnId = turn?.state === 'running' ? turn.id : undefined
  const params = { thread_id: threadId, ...(turnId !== undefined && { turn_id: turnId }) }
  // Without the ID of its turn, a request that is repeated could stop a later turn.
  const delays = turnId === undefined ? [] : undefined
  const { status } = await repeatedly(() => client.request('threads.stop', params), delays)
  return status
}

/**
 * Read an event of a request that the user no longer waits for, and stop its turn if the user asked
 * for that before. Return whether to read more events: only these name the new thread and its turn.
 */
export async function stopLeft(
  client: ProtocolClient,
  pending: PendingResponse,
  { event }: Received,
): Promise<boolean> {
  // To other servers, a request that is closed is a stop.
  if (event.type === 'thread.created' && event.can_follow && pending.isStopped)
    pending.newThreadId = event.thread.id
  const threadId = pending.newThreadId
  if (event.type === 'turn.updated' && threadId !== null)
    await requestStop(client, threadId, event.turn)
  return event.type !== 'turn.updated' && threadId !== null
}
