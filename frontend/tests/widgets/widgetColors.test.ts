import { expect, test } from 'vitest'

import { colorOf, SURFACE, TEXT } from '../../src/widgets/widgetColors'

test.each([
  ['secondary', 'var(--color-text-secondary)'],
  ['red-500', 'var(--red-500)'],
  ['blue', 'var(--blue-500)'],
  ['alpha-10', 'var(--alpha-10)'],
  ['#1a2b3c', '#1a2b3c'],
  ['rgb(10 20 30 / 50%)', 'rgb(10 20 30 / 50%)'],
  ['oklch(0.7 0.1 200deg)', 'oklch(0.7 0.1 200deg)'],
  [{ light: 'gray-100', dark: '#000' }, 'light-dark(var(--gray-100), #000)'],
  [{ light: 'red-500' }, 'var(--red-500)'],
])('%j is a color', (value, css) => {
  expect(colorOf(value, TEXT)).toBe(css)
})

test.each([
  'url(https://evil.example/x)',
  'var(--secret)',
  'red; background: url(x)',
  'rgb(var(--secret))',
  'image-set("x")',
  'constructor-1',
  '__proto__',
  7,
  null,
  [],
  { light: 'url(x)', dark: 'var(--x)' },
  { light: { light: {} } },
])('%j is none', (value) => {
  expect(colorOf(value, SURFACE)).toBeUndefined()
})
