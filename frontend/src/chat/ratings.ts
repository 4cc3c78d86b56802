/** The user's ratings of answers. Items do not contain them, so the browser keeps the newest ones. */

import { Store } from './store'
import { storedJson, storeJson } from './storedJson'

export type Rating = 'positive' | 'negative'

/** The number of ratings that are kept. */
const MAX = 500

export class Ratings {
  readonly state = new Store<{ byItem: ReadonlyMap<string, Rating> }>({ byItem: new Map() })
  #key = ''

  /** Use the ratings that belong to a server. */
  use(url: string): void {
    this.#key = `chatkit-ratings ${url}`
    this.state.set({ byItem: this.#read() ?? new Map() })
  }

  /** Keep the rating of an item; `null` removes it. */
  set(itemId: string, rating: Rating | null): void {
    // Other tabs may have added some.
    const byItem = new Map(this.#read() ?? this.state.get().byItem)
    byItem.delete(itemId)
    if (rating !== null) byItem.set(itemId, rating)
    this.state.set({ byItem })
    storeJson('localStorage', this.#key, [...byItem].slice(-MAX))
  }

  #read(): Map<string, Rating> | null {
    const stored = storedJson('localStorage', this.#key)
    return Array.isArray(stored) ? new Map(stored.filter(isRated)) : null
  }
}

function isRated(pair: unknown): pair is [string, Rating] {
  return (
    Array.isArray(pair) &&
    typeof pair[0] === 'string' &&
    (pair[1] === 'positive' || pair[1] === 'negative')
  )
}
