/** Feeds the reducer and Python's `apply_update` the same threads, and compares the results. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  emptyThread,
  endResponse,
  mergeOlder,
  reduce,
  replaceItems,
  startResponse,
  type ThreadItemUpdate,
  type ThreadState,
} from '../../src/protocol/thread'
import type {
  Annotation,
  AssistantMessageItem,
  ThreadItem,
  ThreadStreamEvent,
  Widget,
  WorkflowItem,
} from '../../src/protocol/types'
import { output, python } from '../python'

type Task = WorkflowItem['workflow']['tasks'][number]
type Events = readonly ThreadStreamEvent[]

const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
const texts = fc.string({ unit: 'grapheme', maxLength: 5 })
const indices = fc.nat(3)

const tasks: fc.Arbitrary<Task> = fc.oneof(
  texts.map((title): Task => ({ type: 'custom', title, status_indicator: 'loading' })),
  texts.map((content): Task => ({ type: 'thought', content })),
)
const annotations = fc.record<Annotation>({
  type: fc.constant('annotation'),
  source: texts.map((title) => ({ type: 'file', filename: 'a', title })),
  index: indices,
})
const contents = fc.record({
  type: fc.constant('output_text' as const),
  text: texts,
  annotations: fc.array(annotations, { maxLength: 2 }),
})
const textIds = fc.constantFrom('t1', 't2')
const boxIds = fc.constantFrom('b1', 'b2')
const leaves: fc.Arbitrary<Widget> = fc.oneof(
  fc.record({ type: fc.constant('Text'), id: textIds, value: texts }),
  fc.record({ type: fc.constant('Badge'), label: texts }),
)
const { component: components } = fc.letrec<{ component: Widget }>((tie) => ({
  component: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    fc.record({
      type: fc.constantFrom('Row', 'Col'),
      id: boxIds,
      children: fc.array(tie('component'), { maxLength: 3 }),
    }),
    fc.record({ type: fc.constant('Transition'), children: tie('component') }),
  ),
}))
const widgets: fc.Arbitrary<Widget> = fc.record({
  type: fc.constant('Card'),
  children: fc.array(components, { maxLength: 3 }),
})

const updates: fc.Arbitrary<ThreadItemUpdate> = fc.oneof(
  fc.record({
    type: fc.constant('assistant_message.content_part.text_delta' as const),
    content_index: indices,
    delta: texts,
  }),
  fc.record({
    type: fc.constantFrom(
      'assistant_message.content_part.added' as const,
      'assistant_message.content_part.done' as const,
    ),
    content_index: indices,
    content: contents,
  }),
  fc.record({
    type: fc.constant('assistant_message.content_part.annotation_added' as const),
    content_index: indices,
    annotation_index: indices,
    annotation: annotations,
  }),
  fc.record({
    type: fc.constantFrom('workflow.task.added' as const, 'workflow.task.updated' as const),
    task_index: indices,
    task: tasks,
  }),
  fc.record({
    type: fc.constant('generated_image.updated' as const),
    image: texts.map((url) => ({ id: 'i', url })),
  }),
  fc.record({ type: fc.constant('widget.root.updated' as const), widget: widgets }),
  fc.record({
    type: fc.constant('widget.streaming_text.value_delta' as const),
    component_id: textIds,
    delta: texts,
    done: fc.boolean(),
  }),
  // Python loops forever on a component that contains its own ID, so replace only with leaves.
  fc.record({
    type: fc.constant('widget.component.updated' as const),
    component_id: fc.oneof(textIds, boxIds),
    component: leaves,
  }),
)

function items(id: string): fc.Arbitrary<ThreadItem> {
  const common = { ...base, id }
  return fc.oneof(
    fc
      .array(contents, { maxLength: 2 })
      .map((content): ThreadItem => ({ ...common, type: 'assistant_message', content })),
    fc.array(tasks, { maxLength: 2 }).map((each): ThreadItem => {
      return { ...common, type: 'workflow', workflow: { type: 'custom', tasks: each } }
    }),
    fc.constant<ThreadItem>({ ...common, type: 'generated_image' }),
    widgets.map((widget): ThreadItem => ({ ...common, type: 'widget', widget })),
    fc.constant<ThreadItem>({ ...common, type: 'end_of_turn' }),
  )
}

/** The events of one item: added, updated, then done or removed; or done at once. */
function lives(id: string): fc.Arbitrary<Events> {
  const done = items(id).map((item): ThreadStreamEvent => ({ type: 'thread.item.done', item }))
  const updated = updates.map((update): ThreadStreamEvent => {
    return { type: 'thread.item.updated', item_id: id, update }
  })
  const end = fc.oneof(
    done.map((event) => [event]),
    fc.constant<Events>([{ type: 'thread.item.removed', item_id: id }]),
    // A stream may be cut.
    fc.constant<Events>([]),
  )
  const added = items(id).map((item): ThreadStreamEvent => ({ type: 'thread.item.added', item }))
  const whole = fc.tuple(added, fc.array(updated, { maxLength: 8 }), end)
  return fc.oneof(
    { weight: 1, arbitrary: done.map((event) => [event]) },
    { weight: 5, arbitrary: whole.map(([first, rest, last]) => [first, ...rest, ...last]) },
  )
}

/** The events of a few items at the same time. */
const threads: fc.Arbitrary<Events> = fc
  .tuple(lives('a'), lives('b'), lives('c'), fc.infiniteStream(fc.nat(2)))
  .map(([a, b, c, turns]) => {
    const waiting = [[...a], [...b], [...c]]
    const events: ThreadStreamEvent[] = []
    for (const turn of turns) {
      if (events.length === a.length + b.length + c.length) break
      const chosen = waiting[turn]
      const event = (chosen?.length ? chosen : waiting.find((each) => each.length))?.shift()
      if (event !== undefined) events.push(event)
    }
    return events
  })

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}

function run(events: Events, from: ThreadState = emptyThread): ThreadState {
  return events.reduce((state, event) => frozen(reduce(state, frozen(event))), frozen(from))
}

interface Example {
  events: ThreadStreamEvent[]
  items: ThreadItem[]
}

async function examples(cases: readonly Events[]): Promise<Example[]> {
  const child = python(['frontend/scripts/apply_updates.py'])
  let printed = ''
  let problems = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (problems += chunk))
  child.stdin?.end(cases.map((each) => `${JSON.stringify(each)}\n`).join(''))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(problems)
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Example)
}

function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each: unknown) => (each === null ? undefined : each)))
}

test('for any stream, both implementations give the same items', { timeout: 60_000 }, async () => {
  const cases = fc.sample(threads, { numRuns: 1000, seed: 1 })
  const made = await examples(cases)
  expect(made).toHaveLength(cases.length)
  for (const { events, items: expected } of made) {
    expect(withoutNulls(run(events).items)).toEqual(withoutNulls(expected))
  }
})

test('an unknown update to any item returns the same state', () => {
  const update = { type: 'assistant_message.hologram', content_index: 5, task_index: 5 }
  fc.assert(
    fc.property(threads, (events) => {
      const state = run(events)
      for (const { id } of state.items) {
        const event = { type: 'thread.item.updated', item_id: id, update }
        expect(reduce(state, event as unknown as ThreadStreamEvent)).toBe(state)
      }
    }),
  )
})

test("an event replaces only its item's object", () => {
  fc.assert(
    fc.property(threads, (events) => {
      let state = emptyThread
      for (const event of events) {
        const after = reduce(state, event)
        const id = 'item' in event ? event.item.id : 'item_id' in event ? event.item_id : ''
        for (const item of state.items) if (item.id !== id) expect(after.items).toContain(item)
        state = after
      }
    }),
  )
})

test('thread metadata without items, and effects, change nothing', () => {
  const thread = { ...base, id: 't', title: 'A', items: { data: [] } }
  const named = run([{ type: 'thread.created', thread }])
  expect(named.thread).toEqual({ ...base, id: 't', title: 'A' })
  expect(reduce(named, { type: 'client_effect', name: 'confetti' })).toBe(named)
})

function message(id: string, text = ''): AssistantMessageItem {
  const content = text === '' ? [] : [{ type: 'output_text' as const, text, annotations: [] }]
  return { ...base, id, type: 'assistant_message', content }
}

function delta(itemId: string, text: string, index = 0): ThreadStreamEvent {
  return {
    type: 'thread.item.updated',
    item_id: itemId,
    update: {
      type: 'assistant_message.content_part.text_delta',
      content_index: index,
      delta: text,
    },
  }
}

const unknown = { type: 'thread.hologram', text: 'x' } as unknown as ThreadStreamEvent

describe('the same as the Python side', async () => {
  const lines = (await output(['frontend/scripts/grammar_examples.py'])).trim().split('\n')
  test.each(lines.map((line) => JSON.parse(line) as Example))('$name', ({ events, items }) => {
    expect(withoutNulls(run(events).items)).toEqual(withoutNulls(items))
  })
})

test('deltas join to the text of the finished item', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.string()), { maxLength: 30 }), (deltas) => {
      const events = deltas.map(([index, text]) => delta('a', text, index))
      const state = run([{ type: 'thread.item.added', item: message('a') }, ...events])
      const [item] = state.items as AssistantMessageItem[]
      for (const index of [0, 1, 2]) {
        const expected = deltas
          .filter(([at]) => at === index)
          .map(([, text]) => text)
          .join('')
        expect(item?.content[index]?.text ?? '').toBe(expected)
      }
    }),
  )
})

const ids = fc.constantFrom('a', 'b', 'c')
const anyEvent: fc.Arbitrary<ThreadStreamEvent> = fc.oneof(
  ids.map((id) => ({ type: 'thread.item.added' as const, item: message(id) })),
  ids.map((id) => ({ type: 'thread.item.done' as const, item: message(id, 'done') })),
  ids.map((id) => ({ type: 'thread.item.removed' as const, item_id: id })),
  ids.map((id) => ({ type: 'thread.item.replaced' as const, item: message(id, 'other') })),
  fc.tuple(ids, fc.string()).map(([id, text]) => delta(id, text)),
  fc.constant<ThreadStreamEvent>({ type: 'progress_update', text: 'Looking' }),
  fc.constant<ThreadStreamEvent>({ type: 'notice', level: 'info', message: 'Hm' }),
  fc.constant<ThreadStreamEvent>({ type: 'error', message: 'No', allow_retry: true }),
  fc.constant<ThreadStreamEvent>({
    type: 'stream_options',
    stream_options: { allow_cancel: false },
  }),
)

test('unknown events change nothing at any position', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), (events) => {
      const mixed = events.flatMap((event) => [unknown, event])
      expect(run(mixed)).toEqual(run(events))
      expect(reduce(emptyThread, unknown)).toBe(emptyThread)
    }),
  )
})

test('an item is present once, and unchanged objects stay the same', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), (events) => {
      const state = run(events)
      expect(new Set(state.items.map((item) => item.id)).size).toBe(state.items.length)
      const last = state.items.at(-1)
      if (last === undefined) return
      const after = run([delta(last.id, 'x')], state)
      for (const [index, item] of state.items.slice(0, -1).entries()) {
        expect(after.items[index]).toBe(item)
      }
    }),
  )
})

test('updates that fit nothing change nothing', () => {
  const state = run([{ type: 'thread.item.added', item: message('a') }])
  expect(reduce(state, { type: 'thread.item.replaced', item: message('z') })).toBe(state)
  expect(reduce(state, delta('z', 'x'))).toBe(state)
  const misfit = {
    type: 'thread.item.updated',
    item_id: 'a',
    update: { type: 'generated_image.updated', image: { id: 'i', url: 'x' } },
  } as ThreadStreamEvent
  expect(reduce(state, misfit)).toBe(state)
})

test('widgets change as a whole, in a component and in streamed text', () => {
  const text: Widget = { type: 'Text', id: 't', value: 'He' }
  const widget: Widget = { type: 'Card', children: [{ type: 'Col', children: [text] }] }
  const item: ThreadItem = { ...base, id: 'w', type: 'widget', widget }
  const change = (update: object): ThreadStreamEvent =>
    ({ type: 'thread.item.updated', item_id: 'w', update }) as ThreadStreamEvent
  const added: ThreadStreamEvent = { type: 'thread.item.added', item }
  const shown = (event: ThreadStreamEvent): string =>
    JSON.stringify((run([added, event]).items[0] as { widget: Widget }).widget)
  const streamed = { type: 'widget.streaming_text.value_delta', component_id: 't', delta: 'llo' }
  expect(shown(change({ ...streamed, done: true }))).toContain('"value":"Hello"')
  const replaced = { type: 'Text', id: 't', value: 'Bye' }
  expect(
    shown(change({ type: 'widget.component.updated', component_id: 't', component: replaced })),
  ).toBe(JSON.stringify({ type: 'Card', children: [{ type: 'Col', children: [replaced] }] }))
  expect(shown(change({ type: 'widget.root.updated', widget: replaced }))).toBe(
    JSON.stringify(replaced),
  )
})

test('progress ends with the next item, and errors end with the next answer', () => {
  const busy = run([{ type: 'progress_update', text: 'Looking' }])
  expect(busy.progress?.text).toBe('Looking')
  expect(run([{ type: 'thread.item.added', item: message('a') }], busy).progress).toBeNull()
  expect(endResponse(busy).progress).toBeNull()
  const failed = run([{ type: 'error', message: 'No' }])
  expect(failed.error).toEqual({ code: 'custom', message: 'No', allowRetry: false })
  expect(startResponse(failed).error).toBeNull()
})

test('older pages come first, without duplicates', () => {
  const state = run(['b', 'c'].map((id) => ({ type: 'thread.item.done', item: message(id) })))
  const merged = mergeOlder(state, [message('a'), message('b')])
  expect(merged.items.map((item) => item.id)).toEqual(['a', 'b', 'c'])
  const thread = { id: 't', created_at: '2026-01-01T00:00:00' }
  const replaced = replaceItems(merged, thread, [message('b', 'new'), message('d')])
  expect(replaced.items.map((item) => item.id)).toEqual(['a', 'b', 'd'])
})

test.each([
  ['user_message', { content: [] }],
  ['assistant_message', { content: [] }],
  ['structured_input', { inputs: [] }],
  ['widget', { widget: { type: '' } }],
  ['workflow', { workflow: { type: 'custom', tasks: [] } }],
])('what is left out of a %s is empty', (type, rest) => {
  const item = { id: 'i', thread_id: 't', created_at: '2026-01-01', type }
  const event = { type: 'thread.item.done', item } as unknown as ThreadStreamEvent
  expect(reduce(emptyThread, event).items).toEqual([{ ...item, ...rest }])
})
