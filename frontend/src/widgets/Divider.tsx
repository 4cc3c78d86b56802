import { defined, lengthOf, spacingOf } from './box'
import { BORDER, colorOf } from './colors'
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
