/** Bare addresses, which also end before Chinese, Japanese and Korean punctuation. */

import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal'
import type { Code, Construct, Extension, State } from 'micromark-util-types'

import { budgeted } from './limits'

/** The characters that end an address. */
const ENDS =
  /[\s<、。，．！？：；（）「」『』【】〔〕〈〉《》〖〗［］｛｝“”‘’«»‹›—…～・｡｢｣､｟｠"`*\u3000\p{Cc}]/u
const DOMAIN = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}_-]*(?:\.[\p{L}\p{N}\p{M}_-]+)*(?=$|[/?#:])/u

/** Letters of scripts without spaces between words. */
const SPACELESS =
  '[\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}]'

/** A host before a word of the sentence. */
const HOST = new RegExp(
  `^(?:https?://)?(?:[\\w-]+\\.)*[A-Za-z]{2,}(?::\\d+)?(?=${SPACELESS})(?![\\p{L}\\p{M}\\p{N}-]*\\.[A-Za-z])`,
  'iu',
)

/** Return where an address ends: before a closing bracket of the sentence that a word follows. */
function endBeforeWord(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    if (text[at] !== ')' || --depth >= 0) continue
    return /^(?!\w)\p{L}/u.test(text.slice(at + 1, at + 3)) ? at : text.length
  }
  return text.length
}

/** Return the length of the address that starts a text, without punctuation and words of the sentence. */
function addressLength(text: string): number {
  let end = HOST.exec(text)?.[0].length ?? endBeforeWord(text)
  let unclosed = 0
  for (const each of text.slice(0, end)) unclosed += each === '(' ? 1 : each === ')' ? -1 : 0
  for (; end > 0; end--) {
    const last = text[end - 1] as string
    if (last === ')' && unclosed < 0) unclosed++
    else if (last === ';') {
      const entity = /&[A-Za-z\d]+;$/.exec(text.slice(Math.max(0, end - 40), end))
      if (entity) end -= entity[0].length - 1
    } else if (!/[?!.,:_~'\]،؛؟۔।॥–]/.test(last)) break
  }
  const [start = ''] = /^(?:https?:\/\/|(?=www\.))/i.exec(text.slice(0, end)) ?? []
  const isAddress =
    (start !== '' || /^www\./i.test(text)) && DOMAIN.test(text.slice(start.length, end))
  return isAddress ? end : 0
}

/** Looks ahead for an address, and passes on its length. */
function ahead(found: (size: number) => void): Construct {
  return {
    partial: true,
    tokenize(effects, ok, nok) {
      const start = this.now()
      const next: State = (code) => {
        if (!isEnd(code)) {
          effects.consume(code)
          return next
        }
        effects.exit('literalAutolinkHttp')
        const size = addressLength(this.sliceSerialize({ start, end: this.now() }))
        found(size)
        return size === 0 ? nok(code) : ok(code)
      }
      return (code) => {
        effects.enter('literalAutolinkHttp')
        return next(code)
      }
    },
  }
}

function isEnd(code: Code): boolean {
  return code === null || code < 0 || ENDS.test(String.fromCharCode(code))
}

const address: Construct = {
  name: 'address',
  previous: (code) => code === null || code < 0 || !/[A-Za-z\d]/.test(String.fromCharCode(code)),
  tokenize(effects, ok, nok) {
    let left = 0
    let type: 'literalAutolinkHttp' | 'literalAutolinkWww' = 'literalAutolinkHttp'
    const inside: State = (code) => {
      effects.consume(code)
      left--
      return left === 0 ? after : inside
    }
    const after: State = (code) => {
      effects.exit(type)
      effects.exit('literalAutolink')
      return ok(code)
    }
    const begin: State = (code) => {
      effects.enter('literalAutolink')
      effects.enter(type)
      return inside(code)
    }
    const look = effects.check(
      ahead((size) => (left = size)),
      begin,
      nok,
    )
    return (code) => {
      if (code === 87 || code === 119) type = 'literalAutolinkWww'
      return look(code)
    }
  },
}

export function autolinks(): Extension {
  const all: NonNullable<Extension['text']> = {}
  for (const [code, constructs] of Object.entries(gfmAutolinkLiteral().text ?? {})) {
    const emails = [constructs ?? []].flat().filter((each) => each.name === 'emailAutolink')
    all[Number(code)] = emails
  }
  for (const letter of 'hHwW') {
    all[letter.charCodeAt(0)] = [budgeted(address), ...[all[letter.charCodeAt(0)] ?? []].flat()]
  }
  return { text: all }
}
