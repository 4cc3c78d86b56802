import { useLayoutEffect, useMemo, useRef } from 'react'

import type { KeptField, KeptFields } from '../chat/entered'
import type { Widget, WidgetItem } from '../protocol/types'
import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'
import { Component, ComponentsContext } from './Component'
import { components } from './components'
import { WidgetActions, WidgetContext } from './widgetActions'
import { FormContext, useFormFields } from './forms'
import { NotDrawn } from './NotDrawn'
import { isWidget } from './values'

interface WidgetViewProps {
  widget: Widget
  /** The item that shows the widget. A preview has none, and its controls do nothing. */
  item?: WidgetItem | undefined
}

/** A widget that a model or a server wrote. */
export default function WidgetView({ widget, item }: WidgetViewProps) {
  const chat = useChat()
  const latest = useRef(item)
  useLayoutEffect(() => {
    latest.current = item
  })
  const actions = useMemo(() => new WidgetActions(chat, () => latest.current), [chat])
  const fields = useFormFields(false, '', useKept(item?.id))
  const isWaiting = useStore(actions.state, ({ pending }) =>
    Object.values(pending).includes('container'),
  )
  const root = useRef<HTMLDivElement>(null)
  useFocusKept(root, isWaiting)
  return (
    <ComponentsContext value={components}>
      <WidgetContext value={actions}>
        <FormContext value={fields}>
          <div ref={root} className="widget" tabIndex={-1} aria-busy={isWaiting}>
            <div className="widget-content" inert={isWaiting}>
              {isWidget(widget) ? <Component widget={widget} /> : <NotDrawn />}
            </div>
          </div>
        </FormContext>
      </WidgetContext>
    </ComponentsContext>
  )
}

function useKept(itemId: string | undefined): KeptFields {
  const draft = useStore(useChat().state, (state) => state.draft)
  return useMemo(
    () => (itemId === undefined ? new Map<string, KeptField>() : draft.fieldsOf(itemId)),
    [draft, itemId],
  )
}

/** Keep the focus in a waiting widget, and afterwards return it to the control that had it. */
function useFocusKept(root: { current: HTMLElement | null }, isWaiting: boolean): void {
  const had = useRef<Element | null>(null)
  useLayoutEffect(() => {
    const element = root.current
    if (element === null) return
    const { activeElement } = document
    if (isWaiting && activeElement !== element && element.contains(activeElement)) {
      had.current = activeElement
      element.focus({ preventScroll: true })
    } else if (!isWaiting && had.current !== null) {
      const isHere = activeElement === element || activeElement === document.body
      if (isHere && had.current instanceof HTMLElement) had.current.focus({ preventScroll: true })
      had.current = null
    }
  }, [root, isWaiting])
}
