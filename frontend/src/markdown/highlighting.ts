/** Colors code; loaded with the first block of code that says its language. */

import { createCodePlugin } from '@streamdown/code'

/** For light and for dark; in others, comments are too faint to read on the block's ground. */
export const plugin = createCodePlugin({
  themes: ['github-light-high-contrast', 'github-dark-high-contrast'],
})
