/** Parts of the page that are loaded when they are first needed. */

import { lazy, type ComponentType, type LazyExoticComponent } from 'react'

import { Store } from '../chat/store'

type Loaded<P> = Promise<{ default: ComponentType<P> }>

/** Whether a part failed to load: an upgrade removes the files that an open page would request. */
export const parts = new Store({ isMissing: false })

/** Return a component that is loaded when it is first rendered, and left out if that fails. */
export function part<P extends object>(
  load: () => Loaded<P>,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(() => load().catch(() => ({ default: () => null })))
}
