import { boxStyle } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'
import { oneOf } from './values'

export function Box({ widget }: ComponentProps) {
  const direction = oneOf(widget['direction'], ['row', 'col'] as const, 'col')
  return (
    <div className="widget-box" style={boxStyle(widget, direction)}>
      <Children of={widget} />
    </div>
  )
}
