/** Sends the actions of a widget, and keeps track of those that are pending or failed. */

import { createContext, useContext, useId, useLayoutEffect, useRef } from 'react'

import type { Widget, WidgetItem } from '../protocol/types'
import { ActionError, type Action, type LoadingBehavior } from '../chat/actions'
import type { Chat } from '../chat/chat'
import { useChat } from '../ui/context'
import { Store } from '../chat/store'
import { useStore } from '../ui/useStore'
import { useForm, type FormFields } from './forms'
import { filled } from './payload'
import { actionOf, nameOf } from './values'

/** The part of a widget that shows that an action is pending. */
export type Shown = Exclude<LoadingBehavior, 'auto'>

interface State {
  /** The components whose actions are pending. */
  pending: Readonly<Record<string, Shown>>
  /** The error message of each component whose last action failed. */
  failed: Readonly<Record<string, string>>
}

/** The actions of one widget. */
export class WidgetActions {
  readonly state = new Store<State>({ pending: {}, failed: {} })
  /** The components on the page, which show the errors of their own actions. */
  readonly present = new Set<string>()

  constructor(
    readonly chat: Chat,
    /** The item that shows the widget. A preview has none, and its actions do nothing. */
    readonly item: () => WidgetItem | undefined,
  ) {}

  /** Send an action of a component, unless another of its actions is pending. */
  act = async (action: Action, from: string, shown: Shown): Promise<void> => {
    const item = this.item()
    if (item === undefined || this.state.get().pending[from] !== undefined) return
    const { [from]: _, ...failed } = this.state.get().failed
    this.state.set({ pending: { ...this.state.get().pending, [from]: shown }, failed })
    try {
      await this.chat.act(action, item)
    } catch (error) {
      const message =
        error instanceof ActionError ? error.message : this.chat.texts.say('actionFailed')
      if (this.present.has(from)) {
        this.state.set({ failed: { ...this.state.get().failed, [from]: message } })
      } else {
        this.chat.show(message)
      }
    } finally {
      const { [from]: _, ...pending } = this.state.get().pending
      this.state.set({ pending })
    }
  }
}

export const WidgetContext = createContext<WidgetActions | null>(null)

function useWidget(): WidgetActions {
  const widget = useContext(WidgetContext)
  if (widget === null) throw new Error('There is no widget around this component.')
  return widget
}

interface ActOptions {
  /** The part that shows that the action is pending, unless the action names one. */
  auto?: Shown
  /** The value of the component, which is sent if there is no form around it. */
  value?: readonly [name: string, value: unknown]
}

export interface Acting {
  /** Send an action with the values of the form around the component. */
  act: (action: Action, options?: ActOptions) => Promise<void>
  /** Whether the component itself shows that its action is pending. */
  isPending: boolean
  /** Whether one of the component's actions is pending. Another component may show that. */
  isActing: boolean
  /** The error message if the component's last action failed. */
  failure: string | null
}

/** Let a component send actions; `own` is its form, if it is a form. */
export function useActing(own?: FormFields): Acting {
  const { act, state, chat, present } = useWidget()
  const around = useForm()
  const form = own ?? around
  const from = useId()
  const pending = useStore(state, (each) => each.pending[from])
  const failure = useStore(state, (each) => each.failed[from] ?? null)
  useLayoutEffect(() => {
    present.add(from)
    return () => void present.delete(from)
  }, [present, from])
  return {
    act: (action, { auto = 'self', value } = {}) => {
      const values = form.isForm ? form.values() : value && value[0] !== '' ? [value] : []
      const { payload, lost } = filled(action.payload, values)
      for (const name of lost)
        chat.reportProblem(`The payload of ${action.type} already has ${name}.`)
      const shown = action.loadingBehavior === 'auto' ? auto : action.loadingBehavior
      return act({ ...action, payload }, from, shown)
    },
    isPending: pending === 'self',
    isActing: pending !== undefined,
    failure,
  }
}

/** Return whether an action cannot be sent now: in a preview, or while the agent answers. */
export function useIsOff(action: Action | null): boolean {
  const { item } = useWidget()
  // Components without such an action do not render again when an answer starts or ends.
  const isWaiting = useStore(
    useChat().state,
    (each) => each.isResponding && action?.handler === 'server',
  )
  return action === null || item() === undefined || isWaiting
}

/** Send the values of a control as they change; while one is pending, only the newest is kept. */
export function useChange(widget: Widget): Pick<Acting, 'isPending' | 'failure'> & {
  sendChange: (value: unknown) => void
} {
  const action = actionOf(widget['onChangeAction'])
  const { act, isPending, failure } = useActing()
  const latest = useRef({ act, isSending: false, waiting: [] as unknown[] })
  useLayoutEffect(() => {
    latest.current.act = act
  })
  const sendChange = async (value: unknown): Promise<void> => {
    const { current } = latest
    current.waiting = [value]
    if (action === null || current.isSending) return
    current.isSending = true
    while (current.waiting.length > 0) {
      const value = [nameOf(widget), current.waiting.pop()] as const
      await current.act(action, { auto: 'none', value })
    }
    current.isSending = false
  }
  return { sendChange: (value) => void sendChange(value), isPending, failure }
}
