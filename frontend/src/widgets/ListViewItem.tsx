import { LoadingIndicator } from '@openai/apps-sdk-ui/components/Indicator'
import { createContext, use, useId } from 'react'

import { alignOf, defined, spacingOf } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'
import { useActing, useIsOff } from './widgetActions'
import { Problem } from './Problem'
import { actionOf } from './values'

/** Whether the parent of an item is a list. */
export const ListContext = createContext(false)

export function ListViewItem({ widget }: ComponentProps) {
  const Tag = use(ListContext) ? 'li' : 'div'
  const content = useId()
  const { act, isActing, isPending, failure } = useActing()
  const action = actionOf(widget['onClickAction'])
  const isBusy = useIsOff(action) || isActing
  const style = defined({
    gap: spacingOf(widget['gap']),
    alignItems: alignOf(widget['align']),
  })
  return (
    <Tag className="widget-list-item">
      {/* It covers the item but contains nothing, since the item may contain buttons itself. */}
      {action !== null && (
        <button
          type="button"
          className="widget-cover"
          aria-labelledby={content}
          aria-disabled={isBusy}
          onClick={() => isBusy || void act(action)}
        />
      )}
      <div id={content} className="widget-list-content" style={style}>
        <ListContext value={false}>
          <Children of={widget} />
        </ListContext>
      </div>
      {isPending && <LoadingIndicator className="widget-pending" />}
      <Problem message={failure} />
    </Tag>
  )
}
