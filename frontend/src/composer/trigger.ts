/** Finds the sign that starts a search for a tag or a command. */

export interface Trigger {
  sign: '@' | '/'
  query: string
  /** The number of characters from the sign to the caret. */
  length: number
}

/** An address such as `ann@example.com` is not a search, nor are `and/or` and `https://`. */
const SEARCHES: Record<Trigger['sign'], RegExp> = {
  '@': /(?<![\w.%+-])@((?!\s)[^@\n]{0,60})$/,
  '/': /(?<!\S)\/((?!\s)[^/\n]{0,60})$/,
}

/** Return the search that the text before the caret starts, if it does. */
export function triggerIn(text: string, signs: readonly Trigger['sign'][]): Trigger | null {
  const found = signs.flatMap((sign): Trigger[] => {
    const match = SEARCHES[sign].exec(text)
    return match === null ? [] : [{ sign, query: match[1] ?? '', length: match[0].length }]
  })
  return found.sort((one, other) => one.length - other.length)[0] ?? null
}
