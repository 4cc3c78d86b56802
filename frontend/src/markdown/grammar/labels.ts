/** What brackets may refer to: definitions of the whole text, of which only a part is parsed. */

import { labelEnd } from 'micromark-core-commonmark'
import { gfmFootnote } from 'micromark-extension-gfm-footnote'
import type { Construct, Extension, ParseContext } from 'micromark-util-types'

import { budgeted } from './limits'

/** What the rest of the text defines, by normalized label. */
export interface Known {
  links: ReadonlySet<string>
  notes: ReadonlySet<string>
}

/** Knows the labels of the whole text, and notes which of them have been asked for. */
class Labels extends Array<string> {
  known: ReadonlySet<string> = new Set()
  asked: Set<string> = new Set()
  prefix = ''
  readonly #own = new Set<string>()

  override push(...labels: string[]): number {
    for (const label of labels) this.#own.add(label)
    return super.push(...labels)
  }

  override includes(label: string): boolean {
    this.asked.add(this.prefix + label)
    return this.known.has(label) || this.#own.has(label)
  }
}

/** What the text that is being parsed is part of: an extension for each text would be slow to make. */
let current = { known: { links: new Set(), notes: new Set() } as Known, asked: new Set<string>() }

/** Parse with the labels of a text, and return those that were asked for, notes with a `^`. */
export function withLabels<T>(known: Known, parse: () => T): [T, Set<string>] {
  current = { known, asked: new Set() }
  return [parse(), current.asked]
}

export function labels(): Extension {
  const install = (parser: ParseContext): void => {
    if (parser.defined instanceof Labels) return
    const { known, asked } = current
    parser.defined = labelsOf(parser.defined, known.links, asked, '')
    parser.gfmFootnotes = labelsOf(parser.gfmFootnotes ?? [], known.notes, asked, '^')
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
  known: ReadonlySet<string>,
  asked: Set<string>,
  prefix: string,
): Labels {
  const all = new Labels()
  all.push(...defined)
  return Object.assign(all, { known, asked, prefix })
}
