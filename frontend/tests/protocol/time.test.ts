import { expect, test } from 'vitest'

import { timeFrom } from '../../src/protocol/time'

test.each([
  ['2026-05-01T12:00:00', '2026-05-01T12:00:00.000Z'],
  ['2026-05-01T12:00:00.123456', '2026-05-01T12:00:00.123Z'],
  ['2026-05-01T12:00:00Z', '2026-05-01T12:00:00.000Z'],
  ['2026-05-01T12:00:00+02:00', '2026-05-01T10:00:00.000Z'],
  ['2026-05-01T12:00:00-0330', '2026-05-01T15:30:00.000Z'],
])('%s is %s', (sent, time) => expect(timeFrom(sent).toISOString()).toBe(time))

test('an invalid time is ignored', () => {
  expect(Number.isNaN(timeFrom('').getTime())).toBe(true)
})
