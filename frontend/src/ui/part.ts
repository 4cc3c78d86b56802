/** Parts of the page that are loaded when they are first needed. */

import { lazy, type ComponentType, type LazyExoticComponent } from 'react'

import { patiently } from '../chat/patiently'

type Loaded<P> = Promise<{ default: ComponentType<P> }>

/** Return a component that is loaded when it is first rendered, and left out if that fails. */
export function part<P extends object>(
  load: () => Loaded<P>,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(() => patiently(load).catch(() => ({ default: () => null })))
}
