import { lengthOf } from './boxStyle'
import type { ComponentProps } from './Component'

/** Pushes its siblings apart. */
export function Spacer({ widget }: ComponentProps) {
  return (
    <div
      className="widget-spacer"
      style={{ flex: `1 0 ${lengthOf(widget['minSize']) ?? 'auto'}` }}
    />
  )
}
