/** Tells formulas from prices, variables and words in brackets. */

const COMMAND = /\\[A-Za-z]+|\\[,;:!{}|%&#\\ ]/
/** The upright parts of a formula, which may contain words. */
const UPRIGHT =
  /\\(?:text\w*|mathrm|mathbf|mathsf|operatorname|mbox)\*?\{[^{}]*\}|[_^](?:\{[^{}]*\}|\w+)|(?<!\p{L})(?:sin|cos|tan|log|exp|max|min|lim|det|gcd|mod|ker|dim|arg)(?!\p{L})/gu

/** Return whether the text between two delimiters is a formula; `open` is the first delimiter. */
export function isFormula(tex: string, open: string): boolean {
  const inner = tex.trim()
  if (inner === '') return false
  if (open.startsWith('\\begin')) return true
  if (!/[\p{L}\p{N}]/u.test(inner)) return false
  if (open === '$$')
    return inner === tex || !/^[\p{L}\s\p{Pd},.&/]*$/u.test(inner) || !/\p{L}{2}/u.test(inner)
  if (COMMAND.test(inner)) return true
  const isBracket = open === '\\['
  // A reference to a note, or a task, whose bracket is escaped.
  if (isBracket && /^(?:\d+|[xX])$/.test(inner)) return false
  const letters = inner.replace(UPRIGHT, '')
  if (/\p{L}{2,}[ \t]+\p{L}{2,}/u.test(letters)) return false
  if (/[=^]/.test(inner)) return true
  if (/\p{L}{3,}/u.test(letters)) return false
  return open !== '$' || isShort(inner)
}

/** Return whether the text is neither an amount of money nor a shell variable. */
function isShort(inner: string): boolean {
  const isBars = /^\|.*\|$/.test(inner)
  if ((/[-–/+*&|,;:(]$|^[)\]}/,;:.]/.test(inner) && !isBars) || /^[A-Z]{2,}[A-Z0-9_]*$/.test(inner))
    return false
  // Amounts with a word between them, such as "or".
  if (/^\d.*\s\p{L}{2}\s/su.test(inner)) return false
  return isBalanced(inner) || /^[[(].*[\])]$/.test(inner)
}

function isBalanced(tex: string): boolean {
  let depth = 0
  for (const each of tex) {
    if ('([{'.includes(each)) depth++
    if (')]}'.includes(each)) depth--
  }
  return depth === 0
}

/** Return whether the text between two delimiters in a line is a formula: `$$` is also a price class or a shell variable. */
export function isInlineFormula(tex: string, open: string): boolean {
  const inner = tex.trim()
  const isPadded = inner !== tex && !tex.includes('\n')
  if (open !== '$$' || !isPadded) return isFormula(tex, open)
  return isFormula(tex, '\\(') && !/^[)\]},;:.!?&|]/.test(inner)
}

/** Two words in a row, or a line of words; the last word of a text may still grow. */
const WORDS = /\p{L}{2,}[ \t]+\p{L}{2,}[^\p{L}]|^[^\\=^_&+<>{}|\n]*\p{L}{3,}[^\\=^_&+<>{}|\n]*\n/mu
const UNCLOSED = /\\(?:text\w*|math\w+|operatorname|mbox)\*?\{[^{}]*$/

/** Return whether a formula, which may be unfinished, has lines of words. */
export function hasWords(tex: string): boolean {
  const letters = tex.replaceAll(/\r\n?/g, '\n').replace(UPRIGHT, '1').replace(UNCLOSED, '1')
  return WORDS.test(letters)
}
