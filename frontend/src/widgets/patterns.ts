/** Patterns for texts, as in HTML. */

/** Return whether a text matches a pattern; an invalid pattern matches every text. */
export function fits(pattern: unknown, text: string): boolean {
  if (typeof pattern !== 'string' || text === '') return true
  try {
    return new RegExp(`^(?:${pattern})$`, 'v').test(text)
  } catch {
    return true
  }
}
