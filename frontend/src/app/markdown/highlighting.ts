/** Colors code; loaded with the first block of code that says its language. */

export { code as plugin } from '@streamdown/code'
