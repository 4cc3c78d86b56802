import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  addMonths,
  dayOf,
  FIRST,
  isoOf,
  LAST,
  monthOf,
  parseDay,
  partsOf,
  say,
  weeksOf,
  weekStart,
} from '../../src/widgets/dates'

const anyDay = fc.integer({ min: FIRST, max: LAST })

test('a sent day is read as the same day', () => {
  fc.assert(
    fc.property(anyDay, (day) => {
      expect(parseDay(isoOf(day))).toBe(day)
    }),
  )
})

test('a date without a time, or at midnight UTC, is the written day', () => {
  const day = dayOf(2026, 10, 25)
  for (const text of [
    '2026-11-25',
    '2026-11-25T00:00',
    '2026-11-25T00:00:00',
    '2026-11-25T00:00:00Z',
    '2026-11-25T00:00:00.000+00:00',
    '2026-11-25T18:30:00',
  ]) {
    expect(parseDay(text), text).toBe(day)
  }
})

test('an invalid date is ignored', () => {
  for (const text of [
    '',
    'soon',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '0000-01-01',
    '99999-01-01',
    '2026-11-25Tx',
    20261125,
    null,
    {},
  ]) {
    expect(parseDay(text), String(text)).toBeNull()
  }
})

test('adding months keeps the day, or the last day of a shorter month', () => {
  expect(addMonths(dayOf(2026, 0, 31), 1)).toBe(dayOf(2026, 1, 28))
  expect(addMonths(dayOf(2024, 1, 29), 12)).toBe(dayOf(2025, 1, 28))
  fc.assert(
    fc.property(anyDay, fc.integer({ min: -30, max: 30 }), (day, count) => {
      const [from, to] = [partsOf(day), partsOf(addMonths(day, count))]
      expect(to.year * 12 + to.month).toBe(from.year * 12 + from.month + count)
      expect(to.date).toBeLessThanOrEqual(from.date)
    }),
  )
})

test("days have names in the language, in the grid's calendar, and weeks start as usual there", () => {
  const day = dayOf(2026, 10, 25)
  expect(say('en-US', day, { dateStyle: 'medium' })).toBe('Nov 25, 2026')
  expect(say('de', day, { dateStyle: 'long' })).toBe('25. November 2026')
  expect(say('fa', day, { year: 'numeric' })).toBe('۲۰۲۶')
  expect([weekStart('en-US'), weekStart('de'), weekStart('ar-EG')]).toEqual([0, 1, 6])
})

test('the weeks of a month start with the same weekday, and contain all its days', () => {
  fc.assert(
    fc.property(anyDay, fc.integer({ min: 0, max: 6 }), (day, start) => {
      const { first, last } = monthOf(day)
      const weeks = weeksOf(day, start)
      expect(weeks.every((week) => partsOf(week[0] ?? 0).weekday === start)).toBe(true)
      expect(weeks[0]).toContain(first)
      expect(weeks.at(-1)).toContain(last)
      expect(weeks.flat()).toHaveLength(weeks.length * 7)
      expect(weeks.flat().every((each, index, all) => each === (all[0] ?? 0) + index)).toBe(true)
    }),
  )
})
