import { wordsOf, type Node } from './grammar/node'

/** Return a table as comma-separated values. */
export function csvOf(table: Node): string {
  const width = table.align?.length ?? 0
  const rows = (table.children ?? []).map((row) => {
    const cells = (row.children ?? []).map((cell) => quoted(wordsOf(cell)))
    return [...cells, ...Array<string>(Math.max(0, width - cells.length)).fill('')].join(',')
  })
  return rows.join('\r\n')
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}
