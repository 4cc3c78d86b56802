/** Return a text in other places: in a list, in a quote and, if it is one line, in a table cell. */
export function variantsOf(text: string): string[] {
  const inList = `- ${text.replaceAll('\n', '\n  ')}`
  const inQuote = `> ${text.replaceAll('\n', '\n> ')}`
  return [inList, inQuote, ...(text.includes('\n') ? [] : [inCell(text)])]
}

/** Return a table with a line of text in one cell. */
export function inCell(line: string): string {
  const cell = line.replaceAll(/(?<!\\)\|/g, '\\|')
  return `| Name | Text |\n| --- | --- |\n| one | ${cell} |\n| two | ${cell} |`
}
