/** The part of the Web Locks API that the chat uses. */

type Task = (lock: { name: string } | null) => Promise<unknown>

interface Held {
  steal: () => void
}

/** Add locks to this page, because jsdom has none. */
export function fakeLocks(): void {
  const held = new Map<string, Held>()
  const queues = new Map<string, (() => void)[]>()
  const release = (name: string, holder: Held): void => {
    if (held.get(name) !== holder) return
    held.delete(name)
    queues.get(name)?.shift()?.()
  }
  const hold = (name: string, task: Task): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const holder = { steal: () => reject(new DOMException('Stolen.', 'AbortError')) }
      held.set(name, holder)
      task({ name })
        .then(resolve, reject)
        .finally(() => release(name, holder))
    })
  const request = async (name: string, options: LockOptions, task: Task): Promise<unknown> => {
    if (options.steal === true) {
      held.get(name)?.steal()
      return hold(name, task)
    }
    if (!held.has(name)) return hold(name, task)
    if (options.ifAvailable === true) return task(null)
    await new Promise<void>((resolve, reject) => {
      const queue = queues.get(name) ?? []
      queues.set(name, queue)
      queue.push(resolve)
      options.signal?.addEventListener('abort', () => {
        const index = queue.indexOf(resolve)
        if (index < 0) return
        queue.splice(index, 1)
        reject(new DOMException('Aborted.', 'AbortError'))
      })
    })
    return hold(name, task)
  }
  Object.defineProperty(navigator, 'locks', {
    configurable: true,
    value: { request, query: async () => ({ held: [], pending: [] }) },
  })
}
