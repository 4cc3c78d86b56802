/** Items for tests, with their required fields. */

import type { ThreadItem, UserMessageItem, WorkflowItem } from '../../src/protocol/types'

type Kind = ThreadItem['type']
type ItemOf<K extends Kind> = Extract<ThreadItem, { type: K }>

let count = 0

export function item<K extends Kind>(
  type: K,
  fields: Omit<ItemOf<K>, 'type' | 'id' | 'thread_id' | 'created_at'>,
): ItemOf<K> {
  count += 1
  const base = { id: `${type}_${count}`, thread_id: 't', created_at: '2026-01-01T00:00:00' }
  return { ...base, type, ...fields } as ItemOf<K>
}

export function question(text: string): UserMessageItem {
  return item('user_message', {
    content: [{ type: 'input_text', text }],
    attachments: [],
    inference_options: {},
  })
}

export function answer(text: string): ItemOf<'assistant_message'> {
  return item('assistant_message', { content: [{ type: 'output_text', text, annotations: [] }] })
}

export function workflow(fields: Partial<WorkflowItem['workflow']>): WorkflowItem {
  return item('workflow', { workflow: { type: 'custom', tasks: [], ...fields } })
}
