import { boxStyle } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'

export function Row({ widget }: ComponentProps) {
  return (
    <div className="widget-row" style={boxStyle(widget, 'row')}>
      <Children of={widget} />
    </div>
  )
}
