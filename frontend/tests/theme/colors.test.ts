import fc from 'fast-check'
import { expect, test } from 'vitest'

import { contrast, mix, readableOn, textOn, type Rgb } from '../../src/theme/colors'

const channel = fc.integer({ min: 0, max: 255 })
const color = fc.tuple(channel, channel, channel) as fc.Arbitrary<Rgb>

test('contrast is computed as in WCAG', () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21)
  expect(contrast([255, 255, 255], [118, 118, 118])).toBeCloseTo(4.54, 2)
})

test('text on any color is readable', () => {
  fc.assert(fc.property(color, (each) => contrast(textOn(each), each) >= 4.5))
})

test('any color becomes readable on any background, and is unchanged if it already is', () => {
  fc.assert(
    fc.property(color, color, (background, each) => {
      const found = readableOn(background, each)
      expect(contrast(found, background)).toBeGreaterThanOrEqual(4.5)
      if (contrast(each, background) >= 4.5) expect(found).toEqual(each)
    }),
  )
})

test('a mix lies between its colors', () => {
  expect(mix([0, 0, 0], [255, 255, 255], 0.2)).toEqual([51, 51, 51])
})
