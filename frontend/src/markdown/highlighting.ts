/** Highlights code; loaded with the first code block that names its language. */

import { createCodePlugin } from '@streamdown/code'

/** Themes for light and dark; in others, comments are too faint for the block's background. */
const highlighter = createCodePlugin({
  themes: ['github-light-high-contrast', 'github-dark-high-contrast'],
})

export interface ColoredWord {
  content: string
  /** The colors for light and for dark. */
  htmlStyle?: Record<string, string>
}

type Language = Parameters<typeof highlighter.highlight>[0]['language']

/** Highlight lines of code, now or later; lines in an unknown language stay as they are. */
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
