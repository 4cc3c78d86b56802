import { expect, test } from 'vitest'

import { threadAsMarkdown } from '../../src/chat/exportThread'
import { en } from '../../src/i18n/locales/en'
import type { ThreadItem } from '../../src/protocol/types'

const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
const items = [
  {
    ...base,
    id: '1',
    type: 'user_message',
    content: [
      { type: 'input_text', text: 'Ask ' },
      { type: 'input_tag', id: 'k', text: 'Kari', data: {} },
    ],
    attachments: [{ id: 'a', type: 'file', name: 'log.pdf', mime_type: 'application/pdf' }],
    quoted_text: 'It rains.\nOften.',
    inference_options: {},
  },
  {
    ...base,
    id: '2',
    type: 'workflow',
    workflow: {
      type: 'custom',
      tasks: [
        { type: 'web_search', queries: ['rain', 'Oslo'] },
        { type: 'custom', title: 'Look', content: 'one\ntwo' },
        { type: 'thought', content: '' },
      ],
    },
  },
  {
    ...base,
    id: '3',
    type: 'assistant_message',
    content: [
      {
        type: 'output_text',
        text: 'It rains.',
        annotations: [
          {
            type: 'annotation',
            index: 9,
            source: { type: 'url', title: 'Met', url: 'https://met.test' },
          },
        ],
      },
    ],
  },
  { ...base, id: '4', type: 'widget', widget: { type: 'Card' }, copy_text: '21 °C' },
  { ...base, id: '5', type: 'generated_image', image: { id: 'i', url: 'data:image/png;base64,A' } },
  {
    ...base,
    id: '6',
    type: 'structured_input',
    inputs: [
      { id: 'a', type: 'freeform', question: 'When?', answer: { values: ['Now'] } },
      { id: 'b', type: 'freeform', question: 'Why?', answer: { skipped: true } },
    ],
  },
  { ...base, id: '7', type: 'hologram' },
] as unknown as ThreadItem[]

test('an exported thread contains the visible items in order', () => {
  expect(threadAsMarkdown('Rain', items, (key) => en[key])).toBe(`# Rain

## You

> It rains.
> Often.

Ask @Kari

- log.pdf

- Search: rain, Oslo
- Look: one
  two

## Assistant

It rains.[1]

1. [Met](https://met.test)

21 °C

Generated image

- When?: Now
- Why?: Skipped
`)
})
