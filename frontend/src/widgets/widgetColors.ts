/** Colors as widgets name them: tokens of the design system, or CSS colors. */

import { isObject } from '../chat/isObject'

const HUE = /^(red|orange|yellow|green|blue|purple|pink)$/
const PRIMITIVE = /^(gray|red|orange|yellow|green|blue|purple|pink)-(a?\d{1,4})$/
const ALPHA = /^alpha-\d\d?$/
const HEX = /^#([\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/i
const FUNCTION =
  /^(rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([\d\s.,%/+-]*(deg|turn|rad)?[\d\s.,%/+-]*\)$/i
const NAME = /^[a-z]{3,20}$/i

type Tokens = Readonly<Record<string, string>>

export const TEXT: Tokens = {
  prose: 'var(--color-text)',
  primary: 'var(--color-text)',
  emphasis: 'var(--color-text)',
  secondary: 'var(--color-text-secondary)',
  tertiary: 'var(--color-text-tertiary)',
  success: 'var(--color-text-success-soft)',
  warning: 'var(--color-text-warning-soft)',
  danger: 'light-dark(var(--color-text-danger-soft), var(--red-300))',
}

export const SURFACE: Tokens = {
  surface: 'var(--color-surface)',
  'surface-secondary': 'var(--color-surface-secondary)',
  'surface-tertiary': 'var(--color-surface-tertiary)',
  'surface-elevated': 'var(--color-surface-elevated)',
  'surface-elevated-secondary': 'var(--color-surface-elevated-secondary)',
  secondary: 'var(--color-surface-secondary)',
  tertiary: 'var(--color-surface-tertiary)',
}

export const BORDER: Tokens = {
  default: 'var(--color-border)',
  subtle: 'var(--color-border-subtle)',
  strong: 'var(--color-border-strong)',
}

/** Return the CSS of a color, or `undefined` if the value is not a color. */
export function colorOf(value: unknown, tokens: Tokens): string | undefined {
  if (isObject(value)) {
    const light = colorOf(value['light'], tokens)
    const dark = colorOf(value['dark'], tokens)
    return light && dark ? `light-dark(${light}, ${dark})` : (light ?? dark)
  }
  if (typeof value !== 'string') return undefined
  const name = value.trim()
  if (Object.hasOwn(tokens, name)) return tokens[name]
  if (HUE.test(name)) return `var(--${name}-500)`
  if (PRIMITIVE.test(name) || ALPHA.test(name)) return `var(--${name})`
  return HEX.test(name) || FUNCTION.test(name) || NAME.test(name) ? name : undefined
}
