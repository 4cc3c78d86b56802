/** Colors code; loaded with the first block of code that says its language. */

import { createCodePlugin } from '@streamdown/code'

/** For light and for dark; in others, comments are too faint to read on the block's ground. */
const highlighter = createCodePlugin({
  themes: ['github-light-high-contrast', 'github-dark-high-contrast'],
})

export interface ColoredWord {
  content: string
  /** The colors for light and for dark. */
  htmlStyle?: Record<string, string>
}

type Language = Parameters<typeof highlighter.highlight>[0]['language']

/** Color lines of code, now or later; those in a language that is not known stay as they are. */
export function highlight(
  code: string,
  language: string,
  isIncomplete: boolean,
  take: (lines: readonly (readonly ColoredWord[])[]) => void,
): void {
  if (!highlighter.supportsLanguage(language as Language)) return
  const themes = highlighter.getThemes()
  const result = highlighter.highlight(
    { code, language: language as Language, themes, isIncomplete },
    ({ tokens }) => take(tokens as ColoredWord[][]),
  )
  if (result !== null) take(result.tokens as ColoredWord[][])
}
