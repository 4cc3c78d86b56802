import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  emptyThread,
  endResponse,
  mergeOlder,
  reduce,
  replaceItems,
  startResponse,
  type ThreadState,
} from '../src/protocol/thread'
import type { AssistantMessageItem, ThreadItem, ThreadStreamEvent, Widget } from '../src/protocol/types'
import { output } from './python'

const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }

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

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}

function run(events: readonly ThreadStreamEvent[], from: ThreadState = emptyThread): ThreadState {
  return events.reduce((state, event) => frozen(reduce(state, frozen(event))), frozen(from))
}

const unknown = { type: 'thread.hologram', text: 'x' } as unknown as ThreadStreamEvent

describe('the same as the Python side', async () => {
  const lines = (await output(['frontend/scripts/grammar_examples.py'])).trim().split('\n')
  test.each(lines.map((line) => JSON.parse(line) as Example))('$name', ({ events, items }) => {
    expect(withoutNulls(run(events).items)).toEqual(withoutNulls(items))
  })
})

interface Example {
  name: string
  events: ThreadStreamEvent[]
  items: ThreadItem[]
}

function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each: unknown) => (each === null ? undefined : each)))
}

test('deltas join to the text of the item that is done', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.string()), { maxLength: 30 }), (deltas) => {
      const events = deltas.map(([index, text]) => delta('a', text, index))
      const state = run([{ type: 'thread.item.added', item: message('a') }, ...events])
      const [item] = state.items as AssistantMessageItem[]
      for (const index of [0, 1, 2]) {
        const expected = deltas.filter(([at]) => at === index).map(([, text]) => text).join('')
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

test('events of an unknown kind change nothing, wherever they come', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), (events) => {
      const mixed = events.flatMap((event) => [unknown, event])
      expect(run(mixed)).toEqual(run(events))
      expect(reduce(emptyThread, unknown)).toBe(emptyThread)
    }),
  )
})

test('an item is there once, and what does not change stays the same object', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), (events) => {
      const state = run(events)
      expect(new Set(state.items.map((item) => item.id)).size).toBe(state.items.length)
      const last = state.items.at(-1)
      if (last === undefined) return
      const after = run([delta(last.id, 'x')], state)
      state.items.slice(0, -1).forEach((item, index) => expect(after.items[index]).toBe(item))
    }),
  )
})

test('updates that fit nothing change nothing', () => {
  const state = run([{ type: 'thread.item.added', item: message('a') }])
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

test('progress ends with the next item, errors with the next answer', () => {
  const busy = run([{ type: 'progress_update', text: 'Looking' }])
  expect(busy.progress?.text).toBe('Looking')
  expect(run([{ type: 'thread.item.added', item: message('a') }], busy).progress).toBeNull()
  expect(endResponse(busy).progress).toBeNull()
  const failed = run([{ type: 'error', message: 'No' }])
  expect(failed.error).toEqual({ code: 'custom', message: 'No', allowRetry: false })
  expect(startResponse(failed).error).toBeNull()
})

test('older pages come first, and nothing is there twice', () => {
  const state = run(['b', 'c'].map((id) => ({ type: 'thread.item.done', item: message(id) })))
  const merged = mergeOlder(state, [message('a'), message('b')])
  expect(merged.items.map((item) => item.id)).toEqual(['a', 'b', 'c'])
  const thread = { id: 't', created_at: '2026-01-01T00:00:00' }
  const replaced = replaceItems(merged, thread, [message('b', 'new'), message('d')])
  expect(replaced.items.map((item) => item.id)).toEqual(['a', 'b', 'd'])
})
