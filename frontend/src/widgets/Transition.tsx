import { AnimateLayout } from '@openai/apps-sdk-ui/components/Transition'
import { useSyncExternalStore } from 'react'

import { Children } from './Children'
import type { ComponentProps } from './Component'
import { childrenOf } from './values'

/** Animates the change from one child to the next, unless the user prefers reduced motion. */
export function Transition({ widget }: ComponentProps) {
  const isStill = useSyncExternalStore(subscribe, () => query().matches)
  const child = childrenOf(widget)[0]
  if (isStill) return <Children of={widget} />
  return (
    <AnimateLayout as="div" className="widget-transition">
      {child && (
        <div key={`${child.type}:${String(child.key ?? child.id)}`} className="widget-box">
          <Children of={widget} />
        </div>
      )}
    </AnimateLayout>
  )
}

const query = (): MediaQueryList => matchMedia('(prefers-reduced-motion: reduce)')

function subscribe(listener: () => void): () => void {
  const media = query()
  media.addEventListener('change', listener)
  return () => media.removeEventListener('change', listener)
}
