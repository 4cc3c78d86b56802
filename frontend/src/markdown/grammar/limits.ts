/** Keeps hostile text from costing more than its length: what is beyond a limit is plain text. */

import { blockQuote, list } from 'micromark-core-commonmark'
import type { Construct, Extension, State, Tokenizer, TokenizeContext } from 'micromark-util-types'

/** How many containers one line may be in. */
const DEPTH = 40

/** What the marks of one paragraph may cost: characters read in vain, and a fixed price for each. */
const BUDGET = 20_000
const PRICE = 20

/** The length from which a run of the same mark is text: nobody nests emphasis as deeply. */
const LONG_RUN = 60

const spent = new WeakMap<TokenizeContext, number>()

/** Return a construct of texts that no longer applies once the marks of its paragraph cost too much. */
export function budgeted(construct: Construct): Construct {
  const tokenize: Tokenizer = function (effects, ok, nok) {
    const start = this.now().offset
    const pay = (price: number): number => {
      const sum = (spent.get(this) ?? 0) + price
      spent.set(this, sum)
      return sum
    }
    const failed: State = (code) => {
      pay(this.now().offset - start)
      return nok(code)
    }
    // Some look back over the paragraph before they look at its next character.
    return (code) =>
      pay(PRICE) > BUDGET ? nok(code) : construct.tokenize.call(this, effects, ok, failed)(code)
  }
  return { ...construct, name: `budgeted ${construct.name}`, tokenize }
}

/** Takes the rest of a line as text once the marks of its paragraph cost too much. */
const rest: Construct = {
  name: 'rest',
  // Where nothing else would begin, a text goes on: others must not be tried there.
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

/** Return an extension that limits the marks which others begin, and stands after them. */
export function limits(extensions: readonly Extension[]): Extension {
  const codes = extensions.flatMap(({ text }) => Object.keys(text ?? {}))
  return { text: Object.fromEntries(codes.map((code) => [code, rest])) }
}

/** How many cells a row of a table may have; a line with more is text. */
const CELLS = 300

/** Return a construct of rows of tables that does not apply to one of too many cells. */
export function narrow(construct: Construct): Construct {
  const PIPE = 124
  const tokenize: Tokenizer = function (effects, ok, nok) {
    let pipes = 0
    let isDone = false
    const done =
      (state: State): State =>
      (code) => {
        isDone = true
        return state(code)
      }
    const counted =
      (state: State): State =>
      (code) => {
        if (code === PIPE && ++pipes > CELLS) return nok(code)
        const next = state(code)
        return isDone || next === undefined ? next : counted(next)
      }
    return counted(construct.tokenize.call(this, effects, done(ok), done(nok)))
  }
  return { ...construct, tokenize }
}

/** How many lines a paragraph may have; the next one begins another. */
const LINES = 500

/** Ends a paragraph that is endless, which costs the more to read anew the longer it is. */
export const endless: Construct = {
  name: 'endless',
  tokenize(_effects, ok, nok) {
    return (code) => {
      if (this.interrupt !== true) return nok(code)
      const start = this.events.findLast(
        ([kind, { type }]) => kind === 'enter' && type === 'content',
      )
      const isEndless = start !== undefined && this.now().line - start[1].start.line >= LINES
      return isEndless ? ok(code) : nok(code)
    }
  },
}

const lines = new WeakMap<TokenizeContext, { line: number; count: number }>()

/** Count a container of the present line, and return whether there are more than may be. */
function isTooDeep(context: TokenizeContext): boolean {
  const { line } = context.now()
  const known = lines.get(context)
  const count = known?.line === line ? known.count + 1 : 1
  lines.set(context, { line, count })
  return count > DEPTH
}

/** Lets none of the containers begin where a line is in too many of them. */
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
  return {
    ...construct,
    tokenize(effects, ok, nok) {
      // A parser always has its own; a disabled list would no longer find its next item.
      for (const [code, all] of Object.entries(this.parser.constructs.document)) {
        const rest = [all ?? []].flat().filter((each) => each !== construct)
        this.parser.constructs.document[code as unknown as number] = rest
      }
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

/** Reads a long run of one mark as text. */
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
