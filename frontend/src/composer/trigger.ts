/** Where somebody begins to search for a tag or a command. */

export interface Trigger {
  sign: '@' | '/'
  query: string
  /** How many characters before the caret the sign is. */
  length: number
}

/** An address such as `ann@example.com` is no search, nor are `and/or` and `https://`. */
const SEARCHES: Record<Trigger['sign'], RegExp> = {
  '@': /(?<![\w.%+-])@((?!\s)[^@\n]{0,60})$/,
  '/': /(?<!\S)\/((?!\s)[^/\n]{0,60})$/,
}

/** Return what is searched for by the text before the caret. */
export function triggerIn(text: string, signs: readonly Trigger['sign'][]): Trigger | null {
  const found = signs.flatMap((sign): Trigger[] => {
    const match = SEARCHES[sign].exec(text)
    return match === null ? [] : [{ sign, query: match[1] ?? '', length: match[0].length }]
  })
  return found.sort((one, other) => one.length - other.length)[0] ?? null
}
