/** Patterns for texts, as in HTML. */

/** Return whether a text has the form of a pattern; one that is none asks for nothing. */
export function fits(pattern: unknown, text: string): boolean {
  if (typeof pattern !== 'string' || text === '') return true
  try {
    return new RegExp(`^(?:${pattern})$`, 'v').test(text)
  } catch {
    return true
  }
}
