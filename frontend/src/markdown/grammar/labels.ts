/** Resolves references in a part of a text with the definitions of the whole text. */

import { labelEnd } from 'micromark-core-commonmark'
import { gfmFootnote } from 'micromark-extension-gfm-footnote'
import type { Construct, Extension, ParseContext } from 'micromark-util-types'

import { budgeted } from './limits'

/** Returns whether the rest of the text defines a normalized label; those of notes start with `^`. */
export interface Known {
  has: (label: string) => boolean
}

/** A label that the parser looked up, and where. */
export interface Asked {
  label: string
  at: number
}

/** The labels of the whole text; records which of them the parser looks up. */
class Labels extends Array<string> {
  known: Known = new Set<string>()
  prefix = ''
  readonly #own = new Set<string>()

  override push(...labels: string[]): number {
    for (const label of labels) this.#own.add(label)
    return super.push(...labels)
  }

  override includes(label: string): boolean {
    current.asked.push({ label: this.prefix + label, at: current.at })
    return this.known.has(this.prefix + label) || this.#own.has(label)
  }
}

/** The labels of the text being parsed; creating an extension for each text would be slow. */
let current = { known: new Set<string>() as Known, asked: [] as Asked[], at: 0 }

/** Parse with the labels of a text, and return those looked up, in order; notes start with `^`. */
export function withLabels<T>(known: Known, parse: () => T): [T, Asked[]] {
  current = { known, asked: [], at: 0 }
  return [parse(), current.asked.sort((a, b) => a.at - b.at)]
}

export function labels(): Extension {
  const install = (parser: ParseContext): void => {
    if (parser.defined instanceof Labels) return
    const { known } = current
    parser.defined = labelsOf(parser.defined, known, '')
    parser.gfmFootnotes = labelsOf(parser.gfmFootnotes ?? [], known, '^')
  }
  const installing = (construct: Construct): Construct => ({
    ...construct,
    tokenize(effects, ok, nok) {
      install(this.parser)
      const state = construct.tokenize.call(this, effects, ok, nok)
      return (code) => {
        current.at = this.now().offset
        return state(code)
      }
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

function labelsOf(defined: readonly string[], known: Known, prefix: string): Labels {
  const all = new Labels()
  all.push(...defined)
  return Object.assign(all, { known, prefix })
}
