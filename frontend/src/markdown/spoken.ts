/** The most characters to read aloud, for some twenty minutes. */
const LONGEST = 20_000

/** Return the words of Markdown without its markup, for reading aloud. */
export async function spoken(markdown: string): Promise<string> {
  const { plainText } = await import('./grammar/plainText')
  if (markdown.length <= LONGEST) return plainText(markdown)
  return `${plainText(markdown.slice(0, LONGEST))} …`
}
