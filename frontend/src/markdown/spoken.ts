import { patiently } from '../chat/patiently'

/** The most characters to read aloud, for some twenty minutes. */
const LONGEST = 20_000

/** The characters to parse at a time, so that the page stays responsive. */
const STRETCH = 1_000

/** Return the words of Markdown without its markup, for reading aloud. */
export async function spoken(markdown: string): Promise<string> {
  const [{ MarkdownDocument }, { plainText }] = await Promise.all([
    patiently(() => import('./grammar/document')),
    patiently(() => import('./grammar/plainText')),
  ])
  const text = markdown.slice(0, LONGEST)
  const document = new MarkdownDocument()
  for (let end = STRETCH; end < text.length; end += STRETCH) {
    document.update(text.slice(0, end), true)
    await new Promise((resolve) => setTimeout(resolve))
  }
  document.update(text, false)
  return markdown.length > LONGEST ? `${plainText(document)} …` : plainText(document)
}
