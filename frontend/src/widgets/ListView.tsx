import { useMemo, useState } from 'react'

import type { Widget } from '../protocol/types'
import { useText } from '../ui/context'
import { Components } from './Children'
import type { ComponentProps } from './Component'
import { ListContext } from './ListViewItem'
import { Status } from './Status'
import { childrenOf, numberOf, oneOf } from './values'

/** The number of items that `auto` shows at first. */
const SHOWN = 8

export function ListView({ widget }: ComponentProps) {
  const text = useText()
  const [isWhole, setWhole] = useState(false)
  const items = useMemo(() => childrenOf(widget).map(asItem), [widget])
  const limit = limitOf(widget['limit'], items.length)
  return (
    <div
      className="widget-root"
      data-theme={oneOf(widget['theme'], ['light', 'dark'] as const, undefined)}
    >
      <Status of={widget['status']} />
      <div className="widget-list">
        <ListContext value={true}>
          {/* Safari drops the role of lists without bullets, so it is set explicitly. */}
          <ul role="list">
            <Components list={isWhole ? items : items.slice(0, limit)} />
          </ul>
        </ListContext>
        {items.length > limit && (
          <button
            type="button"
            className="widget-more"
            aria-expanded={isWhole}
            onClick={() => setWhole(!isWhole)}
          >
            {text(isWhole ? 'showLess' : 'showMore')}
          </button>
        )}
      </div>
    </div>
  )
}

function limitOf(value: unknown, count: number): number {
  if (value === 'auto') return SHOWN
  const limit = numberOf(value)
  return limit === null ? count : Math.max(1, Math.floor(limit))
}

function asItem(child: Widget): Widget {
  return child.type === 'ListViewItem' ? child : { type: 'ListViewItem', children: [child] }
}
