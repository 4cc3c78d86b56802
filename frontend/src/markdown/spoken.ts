/** Return the words of Markdown without its markup, for reading aloud. */
export async function spoken(markdown: string): Promise<string> {
  const { plainText } = await import('./grammar/plainText')
  return plainText(markdown)
}
