import { wordsOf, type Node } from './grammar/node'

/** Return a table as comma-separated values. */
export function csvOf(table: Node): string {
  const width = table.align?.length ?? 0
  const rows = (table.children ?? []).map((row) => {
    const cells = (row.children ?? []).map((cell) => quoted(asText(wordsOf(cell))))
    return [...cells, ...Array<string>(Math.max(0, width - cells.length)).fill('')].join(',')
  })
  return rows.join('\r\n')
}

/** Matches values that spreadsheets read as formulas, but not numbers with a sign. */
const FORMULA = /^\s*(?:[=@＝＠]|[+\-＋－].*(?:\p{L}\s*\(|[|!]))/su

/** Return a value that spreadsheets read as text: a formula could send other cells to a server. */
function asText(value: string): string {
  return FORMULA.test(value) ? `'${value}` : value
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}
