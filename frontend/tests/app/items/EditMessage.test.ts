import { expect, test } from 'vitest'

import { contentOf } from '../../../src/app/items/EditMessage'

const tag = (text: string) => ({ type: 'input_tag' as const, id: text, text, data: {} })
const text = (text: string) => ({ type: 'input_text' as const, text })

test.each([
  ['Ask @Kari now', [text('Ask '), tag('Kari'), text(' now')]],
  ['@Kari', [tag('Kari')]],
  ['Ask them', [text('Ask them')]],
  ['@Ola and @Kari', [tag('Ola'), text(' and '), tag('Kari')]],
  ['', [text('')]],
])('in %j, tags that are still written are tags', (value, expected) => {
  const before = value.includes('Ola') ? [tag('Ola'), tag('Kari')] : [text('Tell '), tag('Kari')]
  expect(contentOf(value, before)).toEqual(expected)
})
