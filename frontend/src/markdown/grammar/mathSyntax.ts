/** Formulas as models write them: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and `\begin{align}…\end{align}`. */

import { factorySpace } from 'micromark-factory-space'
import type {
  Code,
  Construct,
  Effects,
  Extension,
  Point,
  State,
  TokenizeContext,
} from 'micromark-util-types'

import { mayEnd } from './formulaEnd'
import { isFormula, isInlineFormula } from './isFormula'
import { currentSource } from './source'

declare module 'micromark-util-types' {
  interface TokenTypeMap {
    mathText: 'mathText'
    mathFlow: 'mathFlow'
    mathData: 'mathData'
  }
}

const DOLLAR = 36
const BACKSLASH = 92
const SPACE = 32

/** The longest inline formula, in characters, to limit the search after a lone dollar sign. */
const LONGEST = 4_000

interface Fence {
  /** The characters that open and close a formula. */
  open: readonly number[]
  close: readonly number[]
  mayBreak: boolean
}

const PAREN: Fence = { open: [BACKSLASH, 40], close: [BACKSLASH, 41], mayBreak: true }
const BRACKET: Fence = { open: [BACKSLASH, 91], close: [BACKSLASH, 93], mayBreak: true }
const DOLLARS: Fence = { open: [DOLLAR, DOLLAR], close: [DOLLAR, DOLLAR], mayBreak: true }
const ENVIRONMENTS = 'align align* alignat alignat* equation equation* gather gather*'
  .split(' ')
  .map(
    (name): Fence => ({
      open: codesOf(`\\begin{${name}}`),
      close: codesOf(`\\end{${name}}`),
      mayBreak: true,
    }),
  )
const SINGLE: Fence = { open: [DOLLAR], close: [DOLLAR], mayBreak: false }

/** Return the extension; with `isOpen`, the text continues, so a formula may be unfinished. */
export function math(isOpen: boolean): Extension {
  return {
    flow: {
      [DOLLAR]: block(DOLLARS, isOpen),
      [BACKSLASH]: [BRACKET, ...ENVIRONMENTS].map((fence) => block(fence, isOpen)),
    },
    text: {
      [DOLLAR]: [inline(DOLLARS), inline(SINGLE)],
      [BACKSLASH]: [inline(PAREN), inline(BRACKET)],
    },
  }
}

function codesOf(text: string): number[] {
  return [...text].map((each) => each.charCodeAt(0))
}

function isEnd(code: Code): boolean {
  return code === null || code < -2
}

function isSpace(code: Code): boolean {
  return code === SPACE || code === -1 || code === -2
}

function isWord(code: Code): boolean {
  return code !== null && code > 0 && /[\w$]/.test(String.fromCharCode(code))
}

/** Return the text read since a point. */
function between(context: TokenizeContext, start: Point): string {
  const end = context.now()
  return start.offset === end.offset ? '' : context.sliceSerialize({ start, end })
}

/** Matches a word ending that may follow a formula directly, as in `$n$th` and `$n$s`. */
const ENDING = /(?:th|st|nd|rd|s)(?![\w$])/y

/** A command of TeX, which is neither in money nor in variables. */
const COMMAND = /\\[A-Za-z]/

/** Inline formulas. */
function inline(fence: Fence): Construct {
  const { open, close, mayBreak } = fence
  return {
    name: 'mathText',
    // A dollar sign after a word or another dollar sign belongs to it.
    ...(fence === SINGLE && { previous: (code) => !isWord(code) }),
    ...(fence === DOLLARS && { previous: (code) => code !== DOLLAR }),
    tokenize(effects, ok, nok) {
      const context = this
      const inside = new Inside(effects)
      const notClosed = unlessOpened(effects, open, nok, escaped)
      let inner = context.now()
      let before: Code = null
      return (code) => {
        effects.enter('mathText')
        return expect(inside, open, begin, nok)(code)
      }
      function begin(code: Code): State | undefined {
        inner = context.now()
        if (code === DOLLAR || (fence === SINGLE && (isSpace(code) || isEnd(code))))
          return nok(code)
        return body(code)
      }
      function body(code: Code): State | undefined {
        if (code === null || context.now().offset - inner.offset > LONGEST) return nok(code)
        if (isEnd(code)) {
          if (!mayBreak) return nok(code)
          inside.takeLineEnd(code)
          before = SPACE
          return body
        }
        if (code === close[0]) {
          return effects.check(exactly(close), atClose, notClosed)(code)
        }
        if (code === BACKSLASH) return escaped(code)
        before = code
        inside.take(code)
        return body
      }
      /** Read a character that does not close the formula; a backslash escapes the next one. */
      function escaped(code: Code): State | undefined {
        if (fence === SINGLE && code === DOLLAR) return nok(code)
        before = code
        inside.take(code)
        return code === BACKSLASH ? afterBackslash : body
      }
      function afterBackslash(code: Code): State | undefined {
        if (isEnd(code)) return body(code)
        before = code
        inside.take(code)
        return body
      }
      function atClose(code: Code): State | undefined {
        const tex = between(context, inner)
        if (fence === SINGLE && isSpace(before)) return nok(code)
        if (!isInlineFormula(tex, String.fromCharCode(...open))) return nok(code)
        return expect(inside, close, after, nok)(code)
      }
      /** Return whether a word, a number or a brace follows, as after money or a shell variable. */
      function isVariable(code: Code): boolean {
        if (!isWord(code)) return code === 123
        const { offset } = context.now()
        ENDING.lastIndex = offset
        return !ENDING.test(currentSource()) && !COMMAND.test(between(context, inner))
      }
      function after(code: Code): State | undefined {
        if (fence === DOLLARS ? code === DOLLAR : fence === SINGLE && isVariable(code))
          return nok(code)
        inside.end()
        effects.exit('mathText')
        return ok(code)
      }
    },
  }
}

/** The content of a formula: data and line endings. */
class Inside {
  readonly #effects: Effects
  #isOpen = false

  constructor(effects: Effects) {
    this.#effects = effects
  }

  take(code: Code): void {
    if (!this.#isOpen) this.#effects.enter('mathData')
    this.#isOpen = true
    this.#effects.consume(code)
  }

  takeLineEnd(code: Code): void {
    this.end()
    this.#effects.enter('lineEnding')
    this.#effects.consume(code)
    this.#effects.exit('lineEnding')
  }

  end(): void {
    if (this.#isOpen) this.#effects.exit('mathData')
    this.#isOpen = false
  }
}

/** Read the given characters. */
function expect(inside: Inside, codes: readonly number[], ok: State, nok: State): State {
  let index = 0
  const next: State = (code) => {
    if (code !== codes[index]) return nok(code)
    inside.take(code)
    index++
    return index === codes.length ? ok : next
  }
  return next
}

/** Return the state that fails where another formula of the same kind begins: the first has no end. */
function unlessOpened(effects: Effects, open: readonly number[], nok: State, ok: State): State {
  const look = effects.check(exactly(open), nok, ok)
  return (code) => (code === open[0] && code === BACKSLASH ? look(code) : ok(code))
}

function exactly(codes: readonly number[]): Construct {
  return {
    partial: true,
    tokenize(effects, ok, nok) {
      const inside = new Inside(effects)
      return expect(inside, codes, done, nok)
      function done(code: Code): State | undefined {
        inside.end()
        return ok(code)
      }
    },
  }
}

/** A line ending before a line that is in the same containers. */
const nextLine: Construct = {
  partial: true,
  tokenize(effects, ok, nok) {
    return (code) => {
      effects.enter('lineEnding')
      effects.consume(code)
      effects.exit('lineEnding')
      return (next: Code) => {
        if (this.parser.lazy[this.now().line]) return nok(next)
        return factorySpace(effects, ok, 'linePrefix')(next)
      }
    }
  },
}

/** Text of several lines that the parser took for a formula first. */
export interface Failed {
  start: number
  end: number
  /** Whether more text could still close it. */
  isOpen: boolean
}

let failed: Failed[] = []

/** Parse, and return what started formulas that have no end, in the order of their ends. */
export function withFormulas<T>(parse: () => T): [T, Failed[]] {
  failed = []
  const parsed = parse()
  const text = currentSource()
  let end = text.length
  while (end > 0 && /[\s>]/.test(text[end - 1] as string)) end--
  return [parsed, failed.map((each) => ({ ...each, isOpen: each.isOpen && each.end >= end }))]
}

/** Formulas on lines of their own. */
function block(fence: Fence, isOpen: boolean): Construct {
  const { open, close } = fence
  const marks = [String.fromCharCode(...open), String.fromCharCode(...close)] as const
  return {
    name: 'mathFlow',
    concrete: true,
    tokenize(effects, ok, nok) {
      const context: TokenizeContext = this
      const inside = new Inside(effects)
      const start = context.now()
      let hasContent = false
      let isFirstLine = true
      return (code) => {
        if (!mayEnd(currentSource(), start.offset, marks, isOpen)) return nok(code)
        effects.enter('mathFlow')
        return expect(inside, open, begin, nok)(code)
      }
      function record(isOpen: boolean): void {
        if (isOpen || !isFirstLine)
          failed.push({ start: start.offset, end: context.now().offset, isOpen })
      }
      function fail(code: Code): State | undefined {
        record(false)
        return nok(code)
      }
      function atEnd(code: Code): State | undefined {
        record(true)
        return isOpen && hasContent ? finish(code) : nok(code)
      }
      function begin(code: Code): State | undefined {
        return code === DOLLAR ? nok(code) : body(code)
      }
      function body(code: Code): State | undefined {
        if (code === null) return atEnd(code)
        if (isEnd(code)) return effects.check(nextLine, lineEnd, fail)(code)
        if (code === close[0]) return effects.check(exactly(close), atClose, escaped)(code)
        return code === BACKSLASH ? escaped(code) : take(code)
      }
      function take(code: Code): State | undefined {
        if (!isSpace(code)) hasContent = true
        inside.take(code)
        return body
      }
      function escaped(code: Code): State | undefined {
        hasContent = true
        inside.take(code)
        return code === BACKSLASH ? (next) => (isEnd(next) ? body(next) : take(next)) : body
      }
      function lineEnd(code: Code): State | undefined {
        isFirstLine = false
        inside.takeLineEnd(code)
        return body
      }
      function isFormulaSoFar(): boolean {
        return isFormula(between(context, start).slice(open.length), String.fromCharCode(...open))
      }
      function atClose(code: Code): State | undefined {
        return hasContent && isFormulaSoFar()
          ? expect(inside, close, after, fail)(code)
          : fail(code)
      }
      function after(code: Code): State | undefined {
        if (isSpace(code)) {
          inside.take(code)
          return after
        }
        return isEnd(code) ? finish(code) : fail(code)
      }
      function finish(code: Code): State | undefined {
        inside.end()
        effects.exit('mathFlow')
        return ok(code)
      }
    },
  }
}
