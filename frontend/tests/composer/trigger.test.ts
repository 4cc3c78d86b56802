import { expect, test } from 'vitest'

import { triggerIn } from '../../src/composer/trigger'

test.each([
  ['@', '@', ''],
  ['Ask @ka', '@', 'ka'],
  ['Ask @Kari Nord', '@', 'Kari Nord'],
  ['(@ka', '@', 'ka'],
  ['问@ka', '@', 'ka'],
  ['/', '/', ''],
  ['See /rep', '/', 'rep'],
  ['@kari /rep', '/', 'rep'],
  ['ann@example.com', null, null],
  ['and/or', null, null],
  ['https://example.com', null, null],
  ['@ kari', null, null],
  ['/ no', null, null],
  [`@${'x'.repeat(61)}`, null, null],
])('%j searches with %j for %j', (text, sign, query) => {
  const found = triggerIn(text, ['@', '/'])
  expect([found?.sign ?? null, found?.query ?? null]).toEqual([sign, query])
})

test('features that the app lacks are not searched', () => {
  expect(triggerIn('@ka', ['/'])).toBeNull()
})
