import { expect, test } from 'vitest'

import { isImageAllowed } from '../../src/markdown/images'

test.each([
  ['data:image/png;base64,AA', true],
  ['data:image/svg+xml;base64,AA', false],
  ['/picture.png', true],
  ['https://chat.test/picture.png', true],
  ['https://images.test/a.png', true],
  ['https://cdn.images.test/a.png', true],
  ['https://evilimages.test/a.png', false],
  ['http://images.test/a.png', false],
  ['https://images.test.evil.test/a.png', false],
  ['//evil.test/a.png', false],
  ['javascript:alert(1)', false],
  ['https://', false],
])('%s is allowed: %s', (src, expected) => {
  expect(isImageAllowed(src, ['images.test'], 'https://chat.test')).toBe(expected)
})
