/** Repeats requests that the network may have lost. */

import { ProtocolError } from '../protocol/client'

/** Milliseconds to wait before each retry of a request: a server that restarts is back by then. */
export const RETRY_DELAYS = [500, 1_000, 2_000, 4_000, 8_000]

/** The longest wait for the network, in milliseconds. */
const OFFLINE = 60_000

/** Return whether a request or its reply may have been lost, so that it makes sense to repeat it. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return false
  const { kind, status = 0 } = error
  return kind === 'unreachable' || kind === 'lost' || [502, 503, 504].includes(status)
}

/** Wait for some time or, when offline, until the network is back. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, navigator.onLine ? milliseconds : OFFLINE)
    window.addEventListener('online', done)
    signal?.addEventListener('abort', done)
  })
}

/** Send a request that may be repeated, again if it or its reply may have been lost. */
export async function repeatedly<T>(
  send: () => Promise<T>,
  [delay, ...others]: readonly number[] = RETRY_DELAYS,
): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (delay === undefined || !isLost(error)) throw error
    await pause(delay)
    return repeatedly(send, others)
  }
}
