/** HTML blocks: only known tags start one, so that any other text stays text. */

import { htmlFlow } from 'micromark-core-commonmark'
import { asciiAlphanumeric } from 'micromark-util-character'
import type { Code, Construct, Extension, State } from 'micromark-util-types'

import { isKnown } from './tags'

const LESS_THAN = 60
const SLASH = 47

/** `<details>` and `<summary>` end with their line, so that Markdown can follow directly. */
const DETAILS =
  /^(?:<details(?:\s[^<>]*)?>\s*(?:<summary(?:\s[^<>]*)?>.*)?|<summary(?:\s[^<>]*)?>(?!.*<details).*|<\/summary>\s*|(?:<\/details>\s*)+)$/i

const detailsLine: Construct = {
  name: 'detailsLine',
  concrete: true,
  tokenize(effects, ok, nok) {
    const start = this.now()
    const line: State = (code) => {
      if (code !== null && code >= -2) {
        effects.consume(code)
        return line
      }
      if (!DETAILS.test(this.sliceSerialize({ start, end: this.now() }))) return nok(code)
      effects.exit('htmlFlowData')
      effects.exit('htmlFlow')
      return ok(code)
    }
    return (code) => {
      effects.enter('htmlFlow')
      effects.enter('htmlFlowData')
      return line(code)
    }
  },
}

/** The start of a known tag. */
const knownTag: Construct = {
  partial: true,
  tokenize(effects, ok, nok) {
    let tag = ''
    return (code) => {
      effects.enter('htmlFlowData')
      effects.consume(code)
      return open
    }
    function open(code: Code): State | undefined {
      if (code !== SLASH) return name(code)
      effects.consume(code)
      return name
    }
    function name(code: Code): State | undefined {
      if (code !== null && asciiAlphanumeric(code)) {
        tag += String.fromCharCode(code).toLowerCase()
        effects.consume(code)
        return name
      }
      effects.exit('htmlFlowData')
      return isKnown(tag) && tag !== 'details' && tag !== 'summary' ? ok(code) : nok(code)
    }
  },
}

/** The parser's own construct, under a different name than the disabled one. */
const anyBlock: Construct = { ...htmlFlow, name: 'anyBlock' }

const knownBlock: Construct = {
  name: 'knownBlock',
  concrete: true,
  tokenize(effects, ok, nok) {
    return effects.check(knownTag, effects.attempt(anyBlock, ok, nok), nok)
  },
}

export const html: Extension = {
  disable: { null: ['htmlFlow'] },
  flow: { [LESS_THAN]: [detailsLine, knownBlock] },
}
