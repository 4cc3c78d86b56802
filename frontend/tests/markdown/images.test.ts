import { expect, test } from 'vitest'

import { isImageAllowed } from '../../src/markdown/images'

test.each([
  ['data:image/png;base64,AA', true],
  ['data:image/svg+xml;base64,AA', true],
  ['data:image/svg+xml,%3Csvg/%3E', true],
  ['data:image/svg+xmlx;base64,AA', false],
  ['data:text/html;base64,AA', false],
  ['', false],
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

test.each([
  ['https://anywhere.test/a.png', true],
  ['https://chat.test/a.png', true],
  ['http://anywhere.test/a.png', false],
  ['ftp://anywhere.test/a.png', false],
  ['javascript:alert(1)', false],
])('without a list of hosts, %s is allowed: %s', (src, expected) => {
  expect(isImageAllowed(src, null, 'https://chat.test')).toBe(expected)
})
