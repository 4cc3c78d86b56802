/** An observable value. */

export class Store<T extends object> {
  #value: T
  #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get = (): T => this.#value

  set(change: Partial<T>): void {
    this.#value = { ...this.#value, ...change }
    for (const listener of this.#listeners) listener()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Wait until a condition on a store is true. */
export async function until(
  store: Pick<Store<object>, 'subscribe'>,
  isTrue: () => boolean,
): Promise<void> {
  if (isTrue()) return
  await new Promise<void>((resolve) => {
    const stop = store.subscribe(() => {
      if (!isTrue()) return
      stop()
      resolve()
    })
  })
}
