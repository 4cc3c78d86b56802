/** The known HTML tags, and the tokens of a text with tags. */

import { decodeNamedCharacterReference } from 'decode-named-character-reference'

/** Elements that are rendered as such. */
export const DRAWN = new Set(
  `sub sup kbd b strong i em u s del strike ins mark small q cite abbr dfn var samp code tt time ruby rt rp
   bdi bdo a details summary blockquote pre ul ol li dl dt dd table caption thead tbody tfoot tr th td
   h1 h2 h3 h4 h5 h6 figure figcaption`.split(/\s+/),
)
/** Elements without content. */
export const VOID = new Set(['br', 'hr', 'wbr'])
/** Elements that only format or place their text. */
const FORMATTING = new Set(
  'p div center span font big nobr label section article header footer main nav aside address'.split(
    ' ',
  ),
)
/** Block elements. */
export const BLOCK = new Set(
  `p div center section article header footer main nav aside address details summary blockquote pre ul ol li
   dl dt dd table caption thead tbody tfoot tr th td h1 h2 h3 h4 h5 h6 figure figcaption hr`.split(
    /\s+/,
  ),
)

export function isKnown(name: string): boolean {
  return DRAWN.has(name) || VOID.has(name) || FORMATTING.has(name)
}

export type Token =
  | { type: 'open'; name: string; attributes: Record<string, string>; raw: string }
  | { type: 'close'; name: string; raw: string }
  | { type: 'text'; value: string }

const TAG =
  /<(\/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*)\s*\/?>/g
const ATTRIBUTE = /([A-Za-z_:][\w.:-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g

/** Return the known tags, and the texts between them. */
export function tokensOf(html: string): Token[] {
  const tokens: Token[] = []
  let end = 0
  const text = (to: number): void => {
    if (to > end) tokens.push({ type: 'text', value: decoded(html.slice(end, to)) })
  }
  for (const match of html.matchAll(TAG)) {
    const [raw, slash, tag = '', attributes = ''] = match
    const name = tag.toLowerCase()
    if (!isKnown(name)) continue
    text(match.index)
    end = match.index + raw.length
    if (slash === '') tokens.push({ type: 'open', name, attributes: attributesOf(attributes), raw })
    else tokens.push({ type: 'close', name, raw })
  }
  text(html.length)
  return tokens
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name = '', double, single, bare] of text.matchAll(ATTRIBUTE)) {
    found[name.toLowerCase()] ??= decoded(double ?? single ?? bare ?? '')
  }
  return found
}

function decoded(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]*));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return decodeNamedCharacterReference(name) || whole
      const code = decimal === undefined ? parseInt(hex, 16) : Number(decimal)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
    },
  )
}
