/** What the components of a widget share: its actions, and what they wait for. */

import { createContext, useContext, useId } from 'react'

import type { WidgetItem } from '../../protocol/types'
import type { Chat } from '../chat'
import { useChat } from '../context'
import { Store, useStore } from '../store'
import type { Action, LoadingBehavior } from './actions'

/** What shows that an action is not answered yet. */
type Shown = Exclude<LoadingBehavior, 'auto'>

interface State {
  /** The action that waits for its answer, and the component that asked. */
  pending: { from: string; shown: Shown } | null
  /** The component whose action has failed last. */
  failed: string | null
}

export interface ActOptions {
  /** The component that asks. */
  from: string
  /** What goes with the action's own payload, such as the values of a form. */
  payload?: Record<string, unknown>
  /** What `auto` means for the component. */
  auto?: Shown
}

/** The actions of one widget. */
export class WidgetActions {
  readonly state = new Store<State>({ pending: null, failed: null })

  constructor(
    readonly chat: Chat,
    /** The item that shows the widget; there is none around a preview, which does nothing. */
    readonly item: () => WidgetItem | undefined,
  ) {}

  act = async (action: Action, { from, payload, auto = 'self' }: ActOptions): Promise<void> => {
    const item = this.item()
    if (item === undefined || this.state.get().pending !== null) return
    const shown = action.loadingBehavior === 'auto' ? auto : action.loadingBehavior
    const pending = { from, shown }
    this.state.set({ pending, failed: null })
    try {
      await this.#send(withPayload(action, payload), item)
    } catch (error) {
      console.warn(`The action ${action.type} has failed.`, error)
      this.state.set({ failed: from })
    } finally {
      if (this.state.get().pending === pending) this.state.set({ pending: null })
    }
  }

  async #send(action: Action, item: WidgetItem): Promise<void> {
    const { type, handler, streaming } = action
    const sent = { type, ...('payload' in action && { payload: action.payload as never }) }
    if (handler === 'client') {
      const { onAction } = this.chat.state.get().options?.widgets ?? {}
      await onAction?.(sent, { id: item.id, widget: item.widget as never })
    } else if (streaming) {
      await this.chat.sendCustomAction(sent, item.id)
    } else {
      await this.chat.syncCustomAction(sent, item.id)
    }
  }
}

function withPayload(action: Action, extra: Record<string, unknown> | undefined): Action {
  if (extra === undefined) return action
  return { ...action, payload: { ...(action.payload as object | undefined), ...extra } }
}

export const WidgetContext = createContext<WidgetActions | null>(null)

export function useWidget(): WidgetActions {
  const widget = useContext(WidgetContext)
  if (widget === null) throw new Error('There is no widget around this component.')
  return widget
}

export interface Acting {
  act: (action: Action, options?: Omit<ActOptions, 'from'>) => Promise<void>
  /** Whether an action of this component waits for its answer, and shows it here. */
  isPending: boolean
  /** Whether no action can be taken now. */
  isBusy: boolean
  /** Whether the last action of the widget was this component's, and has failed. */
  hasFailed: boolean
}

/** The actions of the component that calls this. */
export function useActing(): Acting {
  const { act, state, item } = useWidget()
  const key = useId()
  const chat = useChat()
  const isResponding = useStore(chat.state, (each) => each.isResponding)
  const pending = useStore(state, (each) => each.pending)
  const failed = useStore(state, (each) => each.failed)
  return {
    act: (action, options) => act(action, { ...options, from: key }),
    isPending: pending?.from === key && pending.shown === 'self',
    isBusy: isResponding || pending !== null || item() === undefined,
    hasFailed: failed === key,
  }
}

/** Whether an action makes the whole widget wait. */
export function useIsWaiting(): boolean {
  return useStore(useWidget().state, (each) => each.pending?.shown === 'container')
}
