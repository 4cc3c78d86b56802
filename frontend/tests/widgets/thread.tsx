/** A thread of widgets, on a server that is a function. */

import { act } from '@testing-library/react'

import { useChat } from '../../src/ui/context'
import { useStore } from '../../src/ui/useStore'
import WidgetView from '../../src/widgets/WidgetView'
import type { Options } from '../../src/element/options'
import type { Widget, WidgetItem } from '../../src/protocol/types'
import { render, type Answer, type Rendered } from '../render'

// Without a layout, there is nothing to scroll or to observe.
Element.prototype.scrollIntoView = () => {}
globalThis.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
}

export interface Request {
  type: string
  params: { thread_id: string; item_id?: string; action: { type: string; payload?: unknown } }
}

export function itemOf(widget: Widget, id = 'item'): WidgetItem {
  return {
    type: 'widget',
    id,
    thread_id: 'thread',
    created_at: '2026-01-01T00:00:00',
    widget,
    copy_text: null,
  }
}

function Widgets() {
  const items = useStore(useChat().state, (state) => state.thread.items)
  return items.map(
    (item) =>
      item.type === 'widget' && <WidgetView key={item.id} widget={item.widget} item={item} />,
  )
}

/** Open a thread that shows a widget, and respond to its actions. */
export async function showing(
  widget: Widget,
  answer: (request: Request) => Answer | Promise<Answer> = () => [],
  options: Partial<Options> = {},
): Promise<Rendered & { sent: Request[]; show: (widget: Widget) => void }> {
  const sent: Request[] = []
  const rendered = await render(
    <Widgets />,
    (type, params) => {
      const { thread_id: id } = params
      if (type === 'threads.get_by_id') return { id, created_at: '', items: { data: [] } }
      if (type === 'items.list') {
        return { data: id === 'thread' ? [itemOf(widget)] : [], has_more: false }
      }
      const request = { type, params } as unknown as Request
      sent.push(request)
      return answer(request)
    },
    options,
  )
  const { chat } = rendered
  await act(() => chat.setThreadId('thread'))
  const show = (next: Widget): void =>
    act(() => chat.state.set({ thread: { ...chat.state.get().thread, items: [itemOf(next)] } }))
  return { ...rendered, sent, show }
}
