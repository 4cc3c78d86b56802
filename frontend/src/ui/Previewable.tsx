import type { Entity } from '@openai/chatkit'
import type { ReactElement } from 'react'

import { Store } from '../chat/store'
import { useChat } from './context'
import { patiently } from '../chat/patiently'
import { useStore } from './useStore'

type Previewed = typeof import('./Previewed')['default']

/** The component for previews, once it is loaded. Suspending on it would lose clicks and focus. */
const previews = new Store<{ Previewed: Previewed | null }>({ Previewed: null })

/** Load the component for previews before the pointer rests on a tag or a source. */
export async function preloadPreviews(): Promise<void> {
  try {
    previews.set({ Previewed: (await patiently(() => import('./Previewed'))).default })
  } catch (error) {
    console.warn('Previews could not be loaded.', error)
  }
}

/** Shows the app's preview of an entity, if the app has previews, while the pointer rests on it. */
export function Previewable({ entity, children }: { entity: Entity; children: ReactElement }) {
  const Previewed = useStore(previews, (state) => state.Previewed)
  const onRequestPreview = useStore(
    useChat().state,
    ({ options }) => options?.entities?.onRequestPreview,
  )
  if (!onRequestPreview || Previewed === null) return children
  return (
    <Previewed entity={entity} onRequestPreview={onRequestPreview}>
      {children}
    </Previewed>
  )
}
