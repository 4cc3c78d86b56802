/** The user's ratings of answers. Items do not contain them, so the browser keeps the newest ones. */

import { Store } from './store'

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
    try {
      localStorage.setItem(this.#key, JSON.stringify([...byItem].slice(-MAX)))
    } catch {
      // Without storage, ratings last as long as the page.
    }
  }

  #read(): Map<string, Rating> | null {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(this.#key) ?? 'null')
      return Array.isArray(stored) ? new Map(stored.filter(isRated)) : null
    } catch {
      return null
    }
  }
}

function isRated(pair: unknown): pair is [string, Rating] {
  return (
    Array.isArray(pair) &&
    typeof pair[0] === 'string' &&
    (pair[1] === 'positive' || pair[1] === 'negative')
  )
}
