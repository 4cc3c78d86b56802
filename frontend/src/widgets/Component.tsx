import { createContext, memo, use, type ComponentType } from 'react'

import type { Widget } from '../protocol/types'
import { Boundary } from '../ui/Boundary'
import { components } from './components'
import { NotDrawn } from './NotDrawn'

export interface ComponentProps {
  widget: Widget
}

/** No layout that means anything is deeper. */
const DEEPEST = 64

const DepthContext = createContext(0)

/** One component of a widget, drawn again only when it is another object. */
export const Component = memo(function Component({ widget }: ComponentProps) {
  const depth = use(DepthContext)
  const Drawn: ComponentType<ComponentProps> | undefined = Object.hasOwn(components, widget.type)
    ? components[widget.type]
    : undefined
  if (Drawn === undefined || depth >= DEEPEST) return <NotDrawn />
  return (
    <DepthContext value={depth + 1}>
      <Boundary fallback={<NotDrawn />}>
        <Drawn widget={widget} />
      </Boundary>
    </DepthContext>
  )
})
