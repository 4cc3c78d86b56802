/** Shares a browser's few connections between its tabs, with locks that end with their tab. */

/** The most threads a browser follows at once: it opens only six HTTP/1.1 connections to a host. */
const STREAMS = 3

/** Run a task while holding a lock; return whether the lock was available. */
export async function withLock(
  name: string,
  options: LockOptions,
  task: () => Promise<void>,
): Promise<boolean> {
  let hasRun = false
  await navigator.locks.request(name, options, async (lock) => {
    if (lock === null) return
    hasRun = true
    await task()
  })
  return hasRun
}

/** Return whether tabs can share: insecure and sandboxed pages have no locks. */
export async function canShare(): Promise<boolean> {
  if (typeof BroadcastChannel === 'undefined') return false
  try {
    await navigator.locks.query()
    return true
  } catch {
    return false
  }
}

/** One of the browser's few streams, taken from another tab if the user needs it here. */
export class Stream {
  readonly #name: string
  #isWanted = true
  #stopWaiting: (() => void) | null = null

  constructor(host: string) {
    this.#name = `chatkit-stream ${host}`
  }

  /** Take a stream, even from another tab. */
  take(): void {
    this.#isWanted = true
    this.#stopWaiting?.()
  }

  /** Run a task whenever this tab has a stream, until the task finishes or the signal aborts. */
  async use(signal: AbortSignal, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const names = Array.from({ length: STREAMS }, (_, index) => `${this.#name} ${index}`)
      for (const name of names) {
        if (await this.#hold(name, { ifAvailable: true }, signal, task)) return
      }
      if (signal.aborted) return
      if (this.#isWanted) {
        const name = names[Math.floor(Math.random() * names.length)] as string
        if (await this.#hold(name, { steal: true }, signal, task)) return
      } else if (await this.#wait(names, signal, task)) {
        return
      }
    }
  }

  /** Wait for a stream to become free, and run the task; return whether it finished. */
  async #wait(
    names: readonly string[],
    signal: AbortSignal,
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const waiting = new AbortController()
    const stop = (): void => waiting.abort()
    signal.addEventListener('abort', stop)
    this.#stopWaiting = stop
    let isTaken = false
    let isDone = false
    await Promise.all(
      names.map((name) =>
        this.#hold(name, { signal: waiting.signal }, signal, async (held) => {
          if (isTaken) return
          isTaken = true
          stop()
          await task(held)
          isDone = !held.aborted
        }),
      ),
    )
    signal.removeEventListener('abort', stop)
    this.#stopWaiting = null
    return isDone
  }

  /** Run the task while holding the lock; return whether it finished. */
  async #hold(
    name: string,
    options: LockOptions,
    signal: AbortSignal,
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const lost = new AbortController()
    let running: Promise<void> | null = null
    try {
      return await withLock(name, options, () => {
        this.#isWanted = false
        running = task(AbortSignal.any([signal, lost.signal]))
        return running
      })
    } catch {
      // Another tab took the lock, or the wait was aborted.
      lost.abort()
      await running
      return false
    }
  }
}
