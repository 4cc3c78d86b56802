/** Resolves references in a part of a text with the definitions of the whole text. */

import { labelEnd } from 'micromark-core-commonmark'
import { gfmFootnote } from 'micromark-extension-gfm-footnote'
import type { Construct, Extension, ParseContext } from 'micromark-util-types'

import { budgeted } from './limits'

/** Returns whether the rest of the text defines a normalized label; those of notes start with `^`. */
export interface Known {
  has: (label: string) => boolean
}

/** The labels of the whole text; records which of them the parser looks up. */
class Labels extends Array<string> {
  known: Known = new Set<string>()
  asked = new Set<string>()
  prefix = ''
  readonly #own = new Set<string>()

  override push(...labels: string[]): number {
    for (const label of labels) this.#own.add(label)
    return super.push(...labels)
  }

  override includes(label: string): boolean {
    this.asked.add(this.prefix + label)
    return this.known.has(this.prefix + label) || this.#own.has(label)
  }
}

/** The labels of the text being parsed; creating an extension for each text would be slow. */
let current = { known: new Set<string>() as Known, asked: new Set<string>() }

/** Parse with the labels of a text, and return those looked up; notes start with `^`. */
export function withLabels<T>(known: Known, parse: () => T): [T, Set<string>] {
  current = { known, asked: new Set() }
  return [parse(), current.asked]
}

export function labels(): Extension {
  const install = (parser: ParseContext): void => {
    if (parser.defined instanceof Labels) return
    const { known, asked } = current
    parser.defined = labelsOf(parser.defined, known, asked, '')
    parser.gfmFootnotes = labelsOf(parser.gfmFootnotes ?? [], known, asked, '^')
  }
  const installing = (construct: Construct): Construct => ({
    ...construct,
    tokenize(effects, ok, nok) {
      install(this.parser)
      return construct.tokenize.call(this, effects, ok, nok)
    },
  })
  const { document, text = {} } = gfmFootnote()
  const call = text[91] as Construct
  const potential = text[93] as Construct
  return {
    ...(document && { document }),
    text: {
      91: installing(budgeted(call)),
      93: [installing(budgeted(labelEnd)), installing(budgeted(potential))],
    },
  }
}

function labelsOf(
  defined: readonly string[],
  known: Known,
  asked: Set<string>,
  prefix: string,
): Labels {
  const all = new Labels()
  all.push(...defined)
  return Object.assign(all, { known, asked, prefix })
}
