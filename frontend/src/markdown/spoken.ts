/** Return Markdown as it is read aloud: its words, without its marks. */
export async function spoken(markdown: string): Promise<string> {
  const { plainText } = await import('./grammar/plainText')
  return plainText(markdown)
}
