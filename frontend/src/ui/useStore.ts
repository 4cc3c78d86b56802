/** Reads stores in components. */

import { useSyncExternalStore } from 'react'

import type { Store } from '../chat/store'

/** Return a part of a store's value, and render the component again when the part changes. */
export function useStore<T extends object, P>(store: Store<T>, select: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => select(store.get()))
}
