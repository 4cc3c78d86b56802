import { memo, useEffect, useLayoutEffect, useMemo, useState } from 'react'

import { Pieces } from './Blocks'
import { copyWithFormulas } from './copying'
import { Definitions, DefinitionsContext } from './Definitions'
import { Element } from './Element'
import { endOfSize } from './grammar/breaks'
import { MarkdownDocument } from './grammar/document'
import { endOfWord, withMarks } from './grammar/marks'
import type { Node } from './grammar/node'
import { viewOf } from './grammar/view'
import { KeepSelection } from './KeepSelection'
import { Notes } from './Notes'
import type { Mark } from './sources'
import { TextContext } from './TextContext'
import { words } from './Words'

/** The characters of a text to parse at a time, at first; the rest is plain until then. */
const STRETCH = 3_000

/** The fewest and the most characters to parse at a time, and the milliseconds that this may take. */
const STRETCHES = { least: 500, most: 8_000, cost: 25 }

/** The least share of a text to parse at a time, and its most characters: each time costs more in a longer text. */
const SHARE = { of: 1 / 25, most: 4_000 }

/** The characters of plain text that are laid out together, about. */
const PLAIN = 4_000

/** The cost, in milliseconds, up to which a text is rendered again with each token. */
const CHEAP = 8

/** The pause after an expensive render, as a multiple of the time that it took. */
const REST = 3

interface RichTextProps {
  text: string
  marks: readonly Mark[]
  /** Whether more text is being written. */
  isOpen: boolean
  /** Whether line breaks in the source are kept. */
  keepsLines: boolean
}

/** Markdown written by a model, which may be unfinished or hostile. */
export default function RichText({ text, marks, isOpen, keepsLines }: RichTextProps) {
  const [document] = useState(() => new MarkdownDocument())
  const shown = useStretches(text, document)
  const rest = text.length - shown
  const goesOn = isOpen || rest > 0
  document.update(text.slice(0, shown), goesOn)
  const { text: parsed, blocks, references } = document
  const view = useMemo(
    () => viewOf({ text: parsed, blocks, references }, goesOn),
    [parsed, blocks, references, goesOn],
  )
  const nodes = useMarks(view.blocks, text, marks)
  const labels = useSameList([...view.notes.keys()])
  const [definitions] = useState(() => new Definitions())
  definitions.set(references, labels)
  useLayoutEffect(() => definitions.notify())
  const setting = useMemo(() => ({ keepsLines, Element }), [keepsLines])
  return (
    <TextContext value={setting}>
      <DefinitionsContext value={definitions}>
        <div onCopy={copyWithFormulas}>
          <KeepSelection className="rich-text">
            <Pieces nodes={nodes} isOpen={goesOn} />
            {rest > (isOpen ? STRETCH : 0) && <Plain text={text} start={shown} />}
            <Notes notes={view.notes} />
          </KeepSelection>
        </div>
      </DefinitionsContext>
    </TextContext>
  )
}

/** The part of a text that is not parsed yet, in pieces that stay the same as it gets shorter. */
function Plain({ text, start }: { text: string; start: number }) {
  const pieces = []
  for (let index = Math.floor(start / PLAIN); index * PLAIN < text.length; index += 1) {
    const from = Math.max(start, startOfPiece(text, index))
    const to = startOfPiece(text, index + 1)
    if (from < to) pieces.push(<PlainPiece key={index} text={text.slice(from, to)} />)
  }
  return pieces
}

const PlainPiece = memo(function PlainPiece({ text }: { text: string }) {
  return <div className="plain">{words(text)}</div>
})

/** Return where a piece of plain text starts: after a line break, if there is one. */
function startOfPiece(text: string, index: number): number {
  const near = Math.min(text.length, index * PLAIN)
  const start = near < text.length ? text.lastIndexOf('\n', near) + 1 : near
  return start > near - PLAIN ? start : near
}

/**
 * Return how much of a text to parse now: a long text in parts, so that the page stays responsive,
 * and an expensive one less often than it grows.
 */
function useStretches(text: string, document: MarkdownDocument): number {
  const [known, setKnown] = useState({ text: '', shown: 0 })
  const pace = usePace(document)
  // Each step parses the unfinished part again, and adds as much text, so that the cost is linear.
  const next = (shown: number): number => {
    const size = Math.max(pace.stretch, Math.min(SHARE.most, shown * SHARE.of))
    return Math.max(
      endOfSize(text, shown, size),
      Math.min(text.length, 2 * shown - document.finished),
    )
  }
  let { shown } = known
  if (known.text !== text) {
    if (!text.startsWith(known.text)) shown = 0
    if (shown === 0 || performance.now() >= pace.until) shown = next(shown)
    setKnown({ text, shown })
  }
  useEffect(() => {
    if (shown >= text.length) return
    const timer = setTimeout(
      () => setKnown({ text, shown: next(shown) }),
      Math.max(0, pace.until - performance.now()),
    )
    return () => clearTimeout(timer)
  })
  return shown
}

/**
 * Return the time until which a text that was expensive to render stays as it is, and how much more
 * of it to parse then.
 */
function usePace(document: MarkdownDocument): { until: number; stretch: number } {
  const [pace] = useState({ began: 0, until: 0, stretch: STRETCH, drawn: document.blocks })
  pace.began ||= performance.now()
  useEffect(() => {
    const now = performance.now()
    const cost = now - pace.began
    pace.began = 0
    if (pace.drawn === document.blocks) return
    pace.drawn = document.blocks
    pace.until = cost < CHEAP ? 0 : now + REST * cost
    if (cost > STRETCHES.cost) pace.stretch = Math.max(STRETCHES.least, pace.stretch / 2)
    else if (cost < STRETCHES.cost / 2) pace.stretch = Math.min(STRETCHES.most, pace.stretch * 2)
  })
  return pace
}

/** Return the blocks with source marks; blocks without any stay the same objects. */
function useMarks(view: readonly Node[], text: string, marks: readonly Mark[]): readonly Node[] {
  const [known] = useState(() => new WeakMap<Node, { marks: string; marked: Node }>())
  return useMemo(() => {
    if (marks.length === 0) return view
    const ends = marks.map((mark) => ({ ...mark, end: endOfWord(text, mark.index) }))
    return view.map((node, index) => {
      const next = view[index + 1]?.start ?? Infinity
      const here = ends.filter(({ end }) => end > node.start && end <= next)
      if (here.length === 0) return node
      const key = here.map(({ end, number }) => `${end} ${number}`).join()
      const before = known.get(node)
      if (before?.marks === key) return before.marked
      const marked = withMarks(node, text, here)
      known.set(node, { marks: key, marked })
      return marked
    })
  }, [view, text, marks, known])
}

/** Return the previous list while its entries are the same. */
function useSameList(list: readonly string[]): readonly string[] {
  const [kept, keep] = useState(list)
  if (kept.length === list.length && kept.every((each, index) => each === list[index])) return kept
  keep(list)
  return list
}
