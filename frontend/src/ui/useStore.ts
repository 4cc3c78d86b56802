/** A store's value, in components. */

import { useSyncExternalStore } from 'react'

import type { Store } from '../chat/store'

/** Follow a part of a store; the component renders again when that part is another. */
export function useStore<T extends object, P>(store: Store<T>, select: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => select(store.get()))
}
