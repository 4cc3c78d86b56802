/** Limits the cost of parsing hostile text: markup beyond a limit is plain text. */

import { blockQuote, list } from 'micromark-core-commonmark'
import type {
  Construct,
  Extension,
  ParseContext,
  State,
  Tokenizer,
  TokenizeContext,
} from 'micromark-util-types'

/** The most containers around one line. */
const DEPTH = 40

/** The budget for markup in a paragraph: characters read in vain, plus a price for each try. */
const BUDGET = 10_000
const PRICE = 20

/** The price of a formula, which takes long to render. */
export const FORMULA = 100

/** The length from which a run of one delimiter is text: nobody nests emphasis that deeply. */
const LONG_RUN = 60

const spent = new WeakMap<TokenizeContext, number>()

/** Return a text construct that stops applying when the markup of its paragraph costs too much. */
export function budgeted(construct: Construct, price = PRICE): Construct {
  const tokenize: Tokenizer = function (effects, ok, nok) {
    const start = this.now().offset
    const pay = (more: number): number => {
      const sum = (spent.get(this) ?? 0) + more
      spent.set(this, sum)
      return sum
    }
    const failed: State = (code) => {
      pay(this.now().offset - start)
      return nok(code)
    }
    // Some constructs look back over the paragraph before they look at its next character.
    return (code) =>
      pay(price) > BUDGET ? nok(code) : construct.tokenize.call(this, effects, ok, failed)(code)
  }
  return { ...construct, name: `budgeted ${construct.name}`, tokenize }
}

/** Reads the rest of a line as text when the markup of its paragraph costs too much. */
const rest: Construct = {
  name: 'rest',
  // Does not interrupt text, so that the parser tries no other constructs there.
  previous: () => false,
  tokenize(effects, ok, nok) {
    const line: State = (code) => {
      if (code !== null && code > -3) {
        effects.consume(code)
        return line
      }
      effects.exit('data')
      return ok(code)
    }
    return (code) => {
      if ((spent.get(this) ?? 0) <= BUDGET) return nok(code)
      effects.enter('data')
      return line(code)
    }
  },
}

/** Return an extension that limits the markup of others; it must come last, to be tried first. */
export function limits(extensions: readonly Extension[]): Extension {
  const codes = extensions.flatMap(({ text }) => Object.keys(text ?? {}))
  return { text: Object.fromEntries(codes.map((code) => [code, rest])) }
}

/** The most lines, and about the most characters, in a paragraph; the next line starts another. */
const LINES = 200
const CHARACTERS = 10_000

/** Ends an overlong paragraph, because parsing a growing one again costs more each time. */
export const endless: Construct = {
  name: 'endless',
  tokenize(_effects, ok, nok) {
    return (code) => {
      if (this.interrupt !== true) return nok(code)
      const start = this.events.findLast(
        ([kind, { type }]) => kind === 'enter' && type === 'content',
      )
      if (start === undefined) return nok(code)
      const { line, offset } = start[1].start
      const isEndless = this.now().line - line >= LINES || this.now().offset - offset >= CHARACTERS
      return isEndless ? ok(code) : nok(code)
    }
  },
}

const lines = new WeakMap<TokenizeContext, { line: number; count: number }>()

/** Count a container of the current line, and return whether there are too many. */
function isTooDeep(context: TokenizeContext): boolean {
  const { line } = context.now()
  const known = lines.get(context)
  const count = known?.line === line ? known.count + 1 : 1
  lines.set(context, { line, count })
  return count > DEPTH
}

/** Starts no container on a line that is already in too many of them. */
export const shallow: Extension = {
  document: Object.fromEntries(
    [...'*+-0123456789>'].map((each) => [
      each.charCodeAt(0),
      limited(each === '>' ? blockQuote : list),
    ]),
  ),
}

function limited(construct: Construct): Construct {
  const { tokenize, continuation } = construct
  const known = new WeakSet<ParseContext>()
  /** Remove the parser's own construct; disabling it would break lists, which need it. */
  const replace = (parser: ParseContext): void => {
    if (known.has(parser)) return
    known.add(parser)
    for (const [code, all] of Object.entries(parser.constructs.document)) {
      const rest = [all ?? []].flat().filter((each) => each !== construct)
      parser.constructs.document[code as unknown as number] = rest
    }
  }
  return {
    ...construct,
    tokenize(effects, ok, nok) {
      replace(this.parser)
      // Only a paragraph keeps a list from starting with an empty item or any number.
      const flow = this.events.findLast(([, { type }]) => type === 'chunkFlow')?.[1]._tokenizer
      if (flow?.currentConstruct?.name === 'codeIndented') this.interrupt = false
      const state = tokenize.call(this, effects, ok, nok)
      return (code) => (isTooDeep(this) ? nok(code) : state(code))
    },
    continuation: {
      ...continuation,
      tokenize(effects, ok, nok) {
        const goOn: State = (code) => {
          isTooDeep(this)
          return ok(code)
        }
        return (continuation ?? construct).tokenize.call(this, effects, goOn, nok)
      },
    },
  }
}

/** Reads a long run of one delimiter as text. */
export const longRun: Construct = {
  name: 'longRun',
  tokenize(effects, ok, nok) {
    let size = 0
    return (first) => {
      effects.enter('data')
      const run: typeof ok = (code) => {
        if (code === first) {
          size++
          effects.consume(code)
          return run
        }
        if (size < LONG_RUN) return nok(code)
        effects.exit('data')
        return ok(code)
      }
      return run(first)
    }
  },
}
