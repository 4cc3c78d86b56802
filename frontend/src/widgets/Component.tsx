import { createContext, memo, use, type ComponentType } from 'react'

import type { Widget } from '../protocol/types'
import { Boundary } from '../ui/Boundary'
import { NotDrawn } from './NotDrawn'

export interface ComponentProps {
  widget: Widget
}

/**
 * The components by the names of their types.
 *
 * They come through context because importing them would be a cycle: containers render components.
 */
export const ComponentsContext = createContext<
  Readonly<Record<string, ComponentType<ComponentProps>>>
>({})

/** The deepest nesting that is rendered; no sensible layout is deeper. */
const DEEPEST = 64

const DepthContext = createContext(0)

/** One component of a widget, rendered again only when its object changes. */
export const Component = memo(function Component({ widget }: ComponentProps) {
  const depth = use(DepthContext)
  const components = use(ComponentsContext)
  const Drawn = Object.hasOwn(components, widget.type) ? components[widget.type] : undefined
  if (Drawn === undefined || depth >= DEEPEST) return <NotDrawn />
  return (
    <DepthContext value={depth + 1}>
      <Boundary fallback={<NotDrawn />}>
        <Drawn widget={widget} />
      </Boundary>
    </DepthContext>
  )
})
