import { NamedIcon } from '../ui/icons/NamedIcon'
import { defined } from './boxStyle'
import { colorOf, TEXT } from './widgetColors'
import type { ComponentProps } from './Component'
import { oneOf, textOf } from './values'

const SIZES = { xs: 12, sm: 14, md: 16, lg: 18, xl: 20, '2xl': 24, '3xl': 32 } as const

export function Icon({ widget }: ComponentProps) {
  const size = SIZES[oneOf(widget['size'], Object.keys(SIZES) as (keyof typeof SIZES)[], 'md')]
  return (
    <span
      className="widget-icon"
      style={defined({ fontSize: `${size}px`, color: colorOf(widget['color'], TEXT) })}
    >
      <NamedIcon name={textOf(widget['name'])} />
    </span>
  )
}
