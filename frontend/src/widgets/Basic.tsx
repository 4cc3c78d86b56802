import { boxStyle } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'
import { oneOf } from './values'

/** A root without a frame. */
export function Basic({ widget }: ComponentProps) {
  const direction = oneOf(widget['direction'], ['row', 'col'] as const, 'col')
  return (
    <div
      className="widget-basic"
      data-theme={oneOf(widget['theme'], ['light', 'dark'] as const, undefined)}
      style={boxStyle(widget, direction)}
    >
      <Children of={widget} />
    </div>
  )
}
