/** Tables as models write them: with pipes in code and formulas, which separate cells only where that fits. */

import type { Construct, Effects, State, Tokenizer, TokenizeContext } from 'micromark-util-types'

import { isFormula } from './isFormula'
import { currentSource } from './source'

const PIPE = 124

/** The code of a pipe in code or in a formula: no other character has it, so the parser takes it for data. */
const KEPT = 0x11_00_00

/** The most cells in a table row; a line with more is text. */
const CELLS = 300

/** The longest line in which pipes may belong to code and formulas. */
const LONGEST = 2_000

const DELIMITERS = /^[ \t>]*(\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?)[ \t]*$/

const SPANS =
  /\\\((.+?)\\\)|\\\[(.+?)\\\]|\\.|(?<!`)(`+)(?!`).+?(?<!`)\3(?!`)|(?<![\w$])\$(?![\s$])([^$]*?[^\s$\\])\$(?![\w$])|\$\$([^$]+)\$\$/g

/** Return a table construct that does not match rows with too many cells. */
export function narrow(construct: Construct): Construct {
  const columns = new WeakMap<TokenizeContext, number>()
  const tokenize: Tokenizer = function (effects, ok, nok) {
    const { offset } = this.now()
    const context = outside(this)
    let pipes = 0
    let isDone = false
    let kept: ReadonlySet<number> | undefined
    const consume: Effects['consume'] = (code) => effects.consume(code === KEPT ? PIPE : code)
    /** Return whether a pipe belongs to code or a formula. */
    const isKept = (): boolean => {
      if (kept === undefined) {
        // A row below the head may be followed by one that looks like delimiters.
        const count = isBelowHead(context) ? columns.get(this) : columnsAt(offset)
        if (count !== undefined) columns.set(this, count)
        kept = keptPipes(offset, count)
      }
      return kept.size > 0 && kept.has(this.now().offset)
    }
    const done =
      (state: State): State =>
      (code) => {
        isDone = true
        return state(code)
      }
    const counted = (state: State): State => {
      return (code) => {
        if (code !== null && code < -2) pipes = 0
        const isData = code === PIPE && isKept()
        if (code === PIPE && !isData && ++pipes > CELLS) return nok(code)
        const next = state(isData ? KEPT : code)
        return isDone || next === undefined ? next : counted(next)
      }
    }
    return counted(construct.tokenize.call(context, { ...effects, consume }, done(ok), done(nok)))
  }
  return { ...construct, tokenize }
}

/** Return a context in which a line after a quote or a list is not a row of a table in it, but may start one. */
function outside(context: TokenizeContext): TokenizeContext {
  const isLazy = context.parser.lazy[context.now().line] === true
  return isLazy ? Object.create(context, { events: { value: [] } }) : context
}

function isBelowHead({ events }: TokenizeContext): boolean {
  const last = events.findLast(([, { type }]) => type !== 'lineEnding' && type !== 'linePrefix')
  return last?.[1].type === 'tableHead' || last?.[1].type === 'tableRow'
}

function lineAt(offset: number): string {
  return /[^\r\n]*/y.exec(currentSource().slice(offset, offset + LONGEST))?.[0] ?? ''
}

/** Return the number of columns that the line after a place sets. */
function columnsAt(offset: number): number | undefined {
  const next = offset + lineAt(offset).length
  const size = currentSource().startsWith('\r\n', next) ? 2 : 1
  const row = DELIMITERS.exec(lineAt(next + size))?.[1]
  return row === undefined ? undefined : cellsIn(row, new Set())
}

/** Return the places of pipes in code and formulas, if without them the row has the right number of cells. */
function keptPipes(offset: number, columns: number | undefined): ReadonlySet<number> {
  const row = lineAt(offset)
  const kept = new Set<number>()
  if (columns === undefined || row.length >= LONGEST || cellsIn(row, kept) <= columns) return kept
  for (const match of row.matchAll(SPANS)) {
    const [span, paren, bracket, ticks, dollar, dollars] = match
    const tex = paren ?? bracket ?? dollar ?? dollars
    if (ticks === undefined && (tex === undefined || !isFormula(tex, '$'))) continue
    for (let at = span.indexOf('|'); at !== -1; at = span.indexOf('|', at + 1))
      if (span[at - 1] !== '\\') kept.add(match.index + at)
  }
  if (cellsIn(row, kept) !== columns) return new Set()
  return new Set([...kept].map((at) => offset + at))
}

function cellsIn(line: string, kept: ReadonlySet<number>): number {
  const row = line.trimEnd()
  const pipes = [...row.matchAll(/\\[\\|]|\|/g)].filter(([text]) => text === '|')
  const places = pipes.map(({ index }) => index).filter((at) => !kept.has(at))
  const first = row.search(/[^ \t]/)
  const outer = Number(places[0] === first) + Number(places.at(-1) === row.length - 1)
  return places.length - outer + 1
}
