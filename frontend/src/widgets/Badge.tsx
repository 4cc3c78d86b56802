import { Badge as DrawnBadge } from '@openai/apps-sdk-ui/components/Badge'

import type { ComponentProps } from './Component'
import { isTrue, oneOf, textOf } from './values'

const COLORS = ['secondary', 'success', 'danger', 'warning', 'info', 'discovery'] as const

export function Badge({ widget }: ComponentProps) {
  return (
    <DrawnBadge
      className="widget-badge"
      color={oneOf(widget['color'], COLORS, 'secondary')}
      variant={oneOf(widget['variant'], ['solid', 'soft', 'outline'] as const, 'soft')}
      size={oneOf(widget['size'], ['sm', 'md', 'lg'] as const, 'sm')}
      pill={isTrue(widget['pill'])}
    >
      <span className="widget-badge-label">{textOf(widget['label'])}</span>
    </DrawnBadge>
  )
}
