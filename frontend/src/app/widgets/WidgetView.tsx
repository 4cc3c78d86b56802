import { useLayoutEffect, useMemo, useRef } from 'react'

import type { Widget, WidgetItem } from '../../protocol/types'
import { useChat } from '../context'
import { Component } from './Component'
import { WidgetActions, WidgetContext } from './context'
import { isWidget } from './values'
import { NotDrawn } from './NotDrawn'

interface WidgetViewProps {
  widget: Widget
  /** The item that shows it; a preview has none, and does nothing when it is used. */
  item?: WidgetItem | undefined
}

/** A widget, drawn from what a model or a server has written. */
export default function WidgetView({ widget, item }: WidgetViewProps) {
  const chat = useChat()
  const latest = useRef(item)
  useLayoutEffect(() => {
    latest.current = item
  })
  const actions = useMemo(() => new WidgetActions(chat, () => latest.current), [chat])
  return (
    <WidgetContext value={actions}>
      <div className="widget">{isWidget(widget) ? <Component widget={widget} /> : <NotDrawn />}</div>
    </WidgetContext>
  )
}
