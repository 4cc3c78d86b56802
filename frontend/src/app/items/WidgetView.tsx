import { Button } from '@openai/apps-sdk-ui/components/Button'
import type { ReactNode } from 'react'

import type { Widget, WidgetItem } from '../../protocol/types'
import { useChat } from '../context'
import { useStore } from '../store'
import { Markdown } from '../markdown/Markdown'

interface Action {
  type: string
  payload?: Record<string, unknown>
  handler?: 'server' | 'client'
}

interface LabelledAction {
  label: string
  action: Action
}

/** A widget in outline: its texts, its order and its buttons. */
export function WidgetView({ item }: { item: WidgetItem }) {
  const chat = useChat()
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const onAction = useStore(chat.state, (state) => state.options?.widgets?.onAction)
  const { widget } = item
  const confirm = widget['confirm'] as LabelledAction | undefined
  const cancel = widget['cancel'] as LabelledAction | undefined

  const act = (action: Action): void => {
    if (action.handler === 'client') {
      void onAction?.(action, { id: item.id, widget: widget as never })
    } else {
      void chat.sendCustomAction(action, item.id)
    }
  }
  return (
    <div className="card">
      <div className="card-body">{children(widget, act, isResponding)}</div>
      {(confirm || cancel) && (
        <div className="card-actions">
          {cancel && (
            <Button
              color="secondary"
              variant="soft"
              disabled={isResponding}
              onClick={() => act(cancel.action)}
            >
              {cancel.label}
            </Button>
          )}
          {confirm && (
            <Button color="primary" disabled={isResponding} onClick={() => act(confirm.action)}>
              {confirm.label}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

function children(widget: Widget, act: (action: Action) => void, isBusy: boolean): ReactNode {
  const held = widget['children'] as Widget | Widget[] | null | undefined
  const list = Array.isArray(held) ? held : held ? [held] : []
  return list.map((child, index) => (
    <Component key={child.key ?? child.id ?? index} widget={child} act={act} isBusy={isBusy} />
  ))
}

interface ComponentProps {
  widget: Widget
  act: (action: Action) => void
  isBusy: boolean
}

function Component({ widget, act, isBusy }: ComponentProps) {
  const value = String(widget['value'] ?? widget['label'] ?? '')
  switch (widget.type) {
    case 'Title':
      return <strong>{value}</strong>
    case 'Caption':
      return <span className="caption">{value}</span>
    case 'Text':
      return <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{value}</span>
    case 'Markdown':
      return <Markdown text={value} />
    case 'Icon':
      return null
    case 'Divider':
      return <hr />
    case 'Col':
      return (
        <div style={{ display: 'flex', flexDirection: 'column', gap: 2 }}>
          {children(widget, act, isBusy)}
        </div>
      )
    case 'Row':
      return (
        <div style={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 8 }}>
          {children(widget, act, isBusy)}
        </div>
      )
    case 'Button': {
      const action = widget['onClickAction'] as Action | undefined
      return (
        <Button
          color="secondary"
          variant="soft"
          disabled={isBusy || action === undefined}
          onClick={() => action && act(action)}
        >
          {String(widget['label'] ?? 'Button')}
        </Button>
      )
    }
    default:
      return (
        <div>
          {value}
          {children(widget, act, isBusy)}
        </div>
      )
  }
}
