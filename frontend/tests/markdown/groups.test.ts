import { expect, test } from 'vitest'

import { grouped, isSameGroup } from '../../src/markdown/groups'

test('groups have a maximum number of entries and a maximum size', () => {
  expect(grouped([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
  expect(grouped([3, 3, 3, 9, 1, 1, 1, 1], 3, 6, (size) => size)).toEqual([
    [3, 3],
    [3],
    [9],
    [1, 1, 1],
    [1],
  ])
  expect(grouped([], 2)).toEqual([])
})

test('groups are equal if their entries and other properties are', () => {
  const node = {}
  expect(isSameGroup({ nodes: [node], isOpen: true }, { nodes: [node], isOpen: true })).toBe(true)
  expect(isSameGroup({ nodes: [node], isOpen: true }, { nodes: [node], isOpen: false })).toBe(false)
  expect(isSameGroup({ nodes: [node] }, { nodes: [{}] })).toBe(false)
  expect(isSameGroup({ nodes: [node] }, { nodes: [node, node] })).toBe(false)
})
