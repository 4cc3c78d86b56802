/** Applies the events of a stream to the state of a thread. */

import type { AnyEvent, ThreadStateEvent, Turn } from './live'
import type {
  AssistantMessageContent,
  AssistantMessageItem,
  ErrorEvent,
  NoticeEvent,
  ThreadItem,
  ThreadItemUpdatedEvent,
  ThreadMetadata,
  Widget,
  WorkflowItem,
} from './types'

export type ThreadItemUpdate = ThreadItemUpdatedEvent['update']

export interface Notice {
  id: number
  level: NoticeEvent['level']
  message: string
  title?: string | null
}

export interface ThreadError {
  code: string
  message: string | null
  allowRetry: boolean
  /** The items in view when the connection was lost. */
  seen?: readonly ThreadItem[]
}

export interface ThreadState {
  thread: ThreadMetadata | null
  /** In the order they were added. */
  items: readonly ThreadItem[]
  /** The items being written, with their progress from 0 to 1, or `null` if it is unknown. */
  open: ReadonlyMap<string, number | null>
  /** The current activity, shown until the next item. */
  progress: { text: string; icon?: string | null } | null
  notices: readonly Notice[]
  error: ThreadError | null
  allowCancel: boolean
  /** The last turn, if the server reports turns. */
  turn: Turn | null
}

export const emptyThread: ThreadState = {
  thread: null,
  items: [],
  open: new Map(),
  progress: null,
  notices: [],
  error: null,
  allowCancel: true,
  turn: null,
}

/**
 * Return the state after an event; it shares all unchanged parts with the state before.
 *
 * An event or update changes nothing if its type is unknown, or if it does not fit its item.
 */
export function reduce(state: ThreadState, event: AnyEvent): ThreadState {
  switch (event.type) {
    case 'thread.created':
    case 'thread.updated': {
      const { items: _, ...thread } = event.thread
      return { ...state, thread: thread as ThreadMetadata }
    }
    case 'thread.item.added': {
      const open = new Map(state.open).set(event.item.id, null)
      return { ...withItem(state, event.item), open, progress: null }
    }
    case 'thread.item.done': {
      const open = without(state.open, event.item.id)
      const done = { ...withItem(state, event.item), open, progress: null }
      // The item replaces the error before it, and stays.
      return event.item.type === 'end_of_turn' ? { ...done, error: null } : done
    }
    case 'thread.item.replaced':
      // An unknown item is older than the loaded ones, and will be loaded with its page.
      return lastIndex(state.items, event.item.id) < 0 ? state : withItem(state, event.item)
    case 'thread.item.updated': {
      const index = lastIndex(state.items, event.item_id)
      const item = state.items[index]
      if (item === undefined) return state
      const updated = applyUpdate(item, event.update)
      if (updated === item) return state
      const items = state.items.with(index, updated)
      if (event.update.type !== 'generated_image.updated') return { ...state, items }
      const open = new Map(state.open).set(item.id, event.update.progress ?? null)
      return { ...state, items, open }
    }
    case 'thread.item.removed': {
      const items = state.items.filter((item) => item.id !== event.item_id)
      if (items.length === state.items.length) return state
      return { ...state, items, open: without(state.open, event.item_id) }
    }
    case 'thread.state':
      return reportedState(state, event)
    case 'turn.updated':
      return { ...state, turn: event.turn }
    case 'stream_options':
      return { ...state, allowCancel: event.stream_options.allow_cancel }
    case 'progress_update':
      return { ...state, progress: { text: event.text, icon: event.icon ?? null } }
    case 'error':
      return { ...state, error: asError(event), progress: null }
    case 'notice': {
      const { level, message, title } = event
      const id = (state.notices.at(-1)?.id ?? 0) + 1
      return { ...state, notices: [...state.notices, { id, level, message, title: title ?? null }] }
    }
    default:
      return state
  }
}

/** Return the status of the open thread; a new thread is active. */
export function statusOf({ thread }: ThreadState): 'active' | 'locked' | 'closed' {
  return thread?.status?.type ?? 'active'
}

/** Return the state when a response starts. */
export function startResponse(state: ThreadState): ThreadState {
  return { ...state, error: null, progress: null, notices: [] }
}

/** Return the state when a response ends. */
export function endResponse(state: ThreadState): ThreadState {
  return { ...state, progress: null, open: emptyThread.open }
}

/** Return the state with an older page of items before the others. */
export function mergeOlder(state: ThreadState, older: readonly ThreadItem[]): ThreadState {
  const known = new Set(state.items.map((item) => item.id))
  const unknown = older.filter((item) => !known.has(item.id)).map(whole)
  return { ...state, items: [...unknown, ...state.items] }
}

/** Return the state with the server's newest items; older ones stay. */
export function replaceItems(
  state: ThreadState,
  thread: ThreadMetadata,
  newest: readonly ThreadItem[],
): ThreadState {
  const first = newest[0]
  const index = first === undefined ? 0 : lastIndex(state.items, first.id)
  const older = index > 0 ? state.items.slice(0, index) : []
  return { ...state, thread, items: [...older, ...newest.map(whole)] }
}

/** Return the state that a server reports; older items stay. */
function reportedState(before: ThreadState, event: ThreadStateEvent): ThreadState {
  const { thread, items, open_items: unfinished, turn } = event
  let state = replaceItems(before, thread, [...items.data].reverse())
  for (const item of unfinished) state = withItem(state, item)
  const open = new Map(unfinished.map((item) => [item.id, null]))
  const isRunning = turn?.state === 'running'
  return { ...state, turn, open, error: null, progress: isRunning ? state.progress : null }
}

function without(open: ThreadState['open'], id: string): ThreadState['open'] {
  return open.has(id) ? new Map([...open].filter(([each]) => each !== id)) : open
}

/** Return an item with empty values in place of required ones that the server left out. */
function whole(item: ThreadItem): ThreadItem {
  switch (item.type) {
    case 'user_message':
    case 'assistant_message':
      return Array.isArray(item.content) ? item : { ...item, content: [] }
    case 'structured_input':
      return Array.isArray(item.inputs) ? item : { ...item, inputs: [] }
    case 'widget':
      return typeof item.widget?.type === 'string' ? item : { ...item, widget: { type: '' } }
    case 'workflow':
      return Array.isArray(item.workflow?.tasks)
        ? item
        : {
            ...item,
            workflow: { ...item.workflow, type: item.workflow?.type ?? 'custom', tasks: [] },
          }
    default:
      return item
  }
}

function withItem(state: ThreadState, given: ThreadItem): ThreadState {
  const item = whole(given)
  const index = lastIndex(state.items, item.id)
  const items = index < 0 ? [...state.items, item] : state.items.with(index, item)
  return { ...state, items }
}

/** Search from the end, where nearly all changes are. */
function lastIndex(items: readonly ThreadItem[], id: string): number {
  return items.findLastIndex((item) => item.id === id)
}

function asError(event: ErrorEvent): ThreadError {
  return {
    code: event.code ?? 'custom',
    message: event.message ?? null,
    allowRetry: event.allow_retry ?? false,
  }
}

function applyUpdate(item: ThreadItem, update: ThreadItemUpdate): ThreadItem {
  switch (item.type) {
    case 'assistant_message':
      return updateMessage(item, update)
    case 'workflow':
      return updateWorkflow(item, update)
    case 'generated_image':
      return update.type === 'generated_image.updated' ? { ...item, image: update.image } : item
    case 'widget': {
      const widget = updateWidget(item.widget, update)
      return widget === item.widget ? item : { ...item, widget }
    }
    default:
      return item
  }
}

const emptyPart: AssistantMessageContent = { type: 'output_text', text: '', annotations: [] }

function updateMessage(item: AssistantMessageItem, update: ThreadItemUpdate): AssistantMessageItem {
  if (!('content_index' in update)) return item
  const content = [...item.content]
  // An update may be the first event about a part.
  while (content.length <= update.content_index) content.push(emptyPart)
  const part = content[update.content_index] ?? emptyPart
  switch (update.type) {
    case 'assistant_message.content_part.text_delta':
      content[update.content_index] = { ...part, text: part.text + update.delta }
      break
    case 'assistant_message.content_part.annotation_added':
      content[update.content_index] = {
        ...part,
        annotations: (part.annotations ?? []).toSpliced(
          update.annotation_index,
          0,
          update.annotation,
        ),
      }
      break
    case 'assistant_message.content_part.added':
    case 'assistant_message.content_part.done':
      content[update.content_index] = update.content
      break
    default:
      return item
  }
  return { ...item, content }
}

function updateWorkflow(item: WorkflowItem, update: ThreadItemUpdate): WorkflowItem {
  const { tasks } = item.workflow
  if (update.type === 'workflow.task.added') {
    const added = tasks.toSpliced(update.task_index, 0, update.task)
    return { ...item, workflow: { ...item.workflow, tasks: added } }
  }
  if (update.type === 'workflow.task.updated' && update.task_index in tasks) {
    const updated = tasks.with(update.task_index, update.task)
    return { ...item, workflow: { ...item.workflow, tasks: updated } }
  }
  return item
}

function updateWidget(widget: Widget, update: ThreadItemUpdate): Widget {
  switch (update.type) {
    case 'widget.root.updated':
      return update.widget
    case 'widget.component.updated':
      return mapChildren(widget, (child) =>
        child.id === update.component_id ? update.component : child,
      )
    case 'widget.streaming_text.value_delta':
      return mapWidget(widget, (component) =>
        component.id === update.component_id
          ? {
              ...component,
              value: `${String(component['value'] ?? '')}${update.delta}`,
              streaming: !update.done,
            }
          : component,
      )
    default:
      return widget
  }
}

/** Apply `change` to a widget and all its descendants. */
function mapWidget(widget: Widget, change: (component: Widget) => Widget): Widget {
  return mapChildren(change(widget), (child) => mapWidget(child, change), true)
}

function mapChildren(widget: Widget, change: (child: Widget) => Widget, isDeep = false): Widget {
  const children = widget['children'] as Widget | Widget[] | null | undefined
  if (children === null || children === undefined) return widget
  const visit = (child: Widget): Widget => {
    const changed = change(child)
    return changed === child && !isDeep ? mapChildren(child, change) : changed
  }
  if (!Array.isArray(children)) {
    const changed = visit(children)
    return changed === children ? widget : { ...widget, children: changed }
  }
  const changed = children.map(visit)
  return changed.some((child, index) => child !== children[index])
    ? { ...widget, children: changed }
    : widget
}

/** Return whether an item waits for an answer from the user or the page. */
export function isPending({ status }: { status?: string | null }): boolean {
  return (status ?? 'pending') === 'pending'
}
