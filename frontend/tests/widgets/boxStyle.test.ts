import { expect, test } from 'vitest'

import { blockStyle, boxStyle, lengthOf, spacingOf } from '../../src/widgets/boxStyle'

const style = (properties: object) => boxStyle({ type: 'Box', ...properties }, 'col')

test('numbers are pixels in sizes, and multiples of four pixels in spacing', () => {
  expect(lengthOf(12)).toBe('12px')
  expect(lengthOf('12')).toBe('12px')
  expect(spacingOf(3)).toBe('12px')
  expect(spacingOf('1 2')).toBe('4px 8px')
  expect(lengthOf('50%')).toBe('50%')
  expect(lengthOf('calc(100% - 2rem)')).toBe('calc(100% - 2rem)')
})

test.each([
  'url(https://evil.example/x)',
  'var(--secret)',
  'calc(var(--secret))',
  'env(safe-area-inset-top)',
  '1px; position: fixed',
  'expression(alert(1))',
  '10px}',
  '',
  'NaN',
  {},
  [],
  true,
  Number.NaN,
  Infinity,
])('%j is no length', (value) => {
  expect(lengthOf(value)).toBeUndefined()
  expect(spacingOf(value)).toBeUndefined()
  expect(
    blockStyle({ type: 'Box', width: value, aspectRatio: value === '' ? value : [value] }),
  ).toEqual({})
})

test('sizes and offsets are limited to reasonable values', () => {
  expect(lengthOf(1e9)).toBe('10000px')
  expect(lengthOf('999999px')).toBe('10000px')
  expect(lengthOf(-5)).toBe('0px')
  expect(blockStyle({ type: 'Box', margin: -1000 })).toEqual({ margin: '-64px' })
})

test("sides may be set one by one or in pairs, and follow the text's direction", () => {
  expect(style({ padding: { x: 2, top: 1, bottom: '3px' } })).toMatchObject({
    paddingTop: '4px',
    paddingBottom: '3px',
    paddingInlineStart: '8px',
    paddingInlineEnd: '8px',
  })
  expect(
    style({ border: { y: 1, left: { size: 2, style: 'dashed', color: 'strong' } } }),
  ).toMatchObject({
    borderTop: '1px solid var(--color-border)',
    borderBottom: '1px solid var(--color-border)',
    borderInlineStart: '2px dashed var(--color-border-strong)',
  })
})

test('a size sets both dimensions unless they are given', () => {
  expect(blockStyle({ type: 'Box', size: 10, height: 5, minSize: 1, maxSize: '100%' })).toEqual({
    width: '10px',
    height: '5px',
    minWidth: '1px',
    minHeight: '1px',
    maxWidth: '100%',
    maxHeight: '100%',
  })
})

test('only known properties get into a style', () => {
  const hostile = {
    position: 'fixed',
    zIndex: 9999,
    style: { position: 'fixed' },
    inset: 0,
    flex: '1; a',
  }
  expect(style(hostile)).toEqual({ display: 'flex', flexDirection: 'column' })
})
