import { defined, lengthOf, spacingOf } from './boxStyle'
import { BORDER, colorOf } from './widgetColors'
import type { ComponentProps } from './Component'
import { isTrue } from './values'

export function Divider({ widget }: ComponentProps) {
  const style = defined({
    borderBlockStartColor: colorOf(widget['color'], BORDER),
    borderBlockStartWidth: lengthOf(widget['size']),
    marginBlock: spacingOf(widget['spacing']),
  })
  return (
    <hr
      className={isTrue(widget['flush']) ? 'widget-divider flush' : 'widget-divider'}
      style={style}
    />
  )
}
