import { expect, test } from 'vitest'

import { csvOf } from '../../src/markdown/csv'
import { parse } from '../../src/markdown/grammar/parse'

function csv(...cells: string[]): string {
  const [table] = parse(`| a |\n| - |\n${cells.map((cell) => `| ${cell} |`).join('\n')}`).children
  return table === undefined ? '' : csvOf(table)
}

test.each([
  ['=1+1', "'=1+1"],
  ['=cmd', "'=cmd"],
  ['@SUM(1)', "'@SUM(1)"],
  ['＝1', "'＝1"],
  ['+SUM(1)', "'+SUM(1)"],
  ['-2+cmd\\|x', "'-2+cmd|x"],
  ['<br>=1', '"\'\n=1"'],
  ['-5', '-5'],
  ['-5°C', '-5°C'],
  ['+47 22 33', '+47 22 33'],
  ['-', '-'],
  ['a=b', 'a=b'],
  ['a, b', '"a, b"'],
  ['say "a"', '"say ""a"""'],
])('the cell %j is copied as %j', (cell, copied) => {
  expect(csv(cell)).toBe(`a\r\n${copied}`)
})
