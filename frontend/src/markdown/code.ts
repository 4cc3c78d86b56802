/** Where a text of Markdown is code, in which nothing else means anything. */

/** A fenced block, which may not be closed yet, or a span between equal runs of backticks. */
const CODE =
  /^[ \t]*(`{3,}|~{3,})[^\n]*(?:\n[\s\S]*?)??(?:\n[ \t]*\1[`~]*[ \t]*$|(?![\s\S]))|(?<!`)(`+)(?!`)[\s\S]*?[^`]\2(?!`)/gm

/** Return the parts of a text, telling code from the rest; they join to the text. */
export function partsOf(text: string): { text: string; isCode: boolean }[] {
  const parts: { text: string; isCode: boolean }[] = []
  let end = 0
  for (const match of text.matchAll(CODE)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), isCode: false })
    parts.push({ text: match[0], isCode: true })
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push({ text: text.slice(end), isCode: false })
  return parts
}
