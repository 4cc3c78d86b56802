// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'

import { filesOf } from '../../src/composer/dropped'

const file = (name: string) => new File(['x'], name)

function entryOf(given: File | Record<string, File>): FileSystemEntry {
  if (given instanceof File) {
    return {
      isFile: true,
      isDirectory: false,
      file: (done: (f: File) => void) => done(given),
    } as never
  }
  const parts = [Object.values(given).map(entryOf), []]
  return {
    isFile: false,
    isDirectory: true,
    createReader: () => ({ readEntries: (done: (e: unknown) => void) => done(parts.shift()) }),
  } as never
}

function dropped(entries: (FileSystemEntry | null)[], files: File[]): DataTransfer {
  const items = entries.map((entry) => ({ webkitGetAsEntry: vi.fn(() => entry) }))
  return { items, files } as never
}

test('dropped files are accepted, including those in folders', async () => {
  const [a, b, c] = [file('a'), file('b'), file('c')]
  expect(await filesOf(dropped([entryOf(a)], [a]))).toEqual([a])
  expect(await filesOf(dropped([null], []))).toEqual([])
  expect(await filesOf(dropped([entryOf({ b, c }), entryOf(a)], []))).toEqual([b, c, a])
})
