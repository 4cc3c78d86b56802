import { boxStyle } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'

export function Col({ widget }: ComponentProps) {
  return (
    <div className="widget-col" style={boxStyle(widget, 'col')}>
      <Children of={widget} />
    </div>
  )
}
