import { useEffect, useMemo, useState } from 'react'

import { Blocks, Notes } from './Blocks'
import { copyWithFormulas } from './copying'
import { Element } from './Element'
import { MarkdownDocument } from './grammar/document'
import { endOfWord, withMarks } from './grammar/marks'
import type { Node } from './grammar/node'
import { viewOf } from './grammar/view'
import { KeepSelection } from './KeepSelection'
import { numbered } from './notes'
import type { Mark } from './sources'
import { TextContext } from './TextContext'
import { words } from './Words'

/** How much of a text is parsed at a stretch, in characters; what comes after it is plain until then. */
const STRETCH = 4_000

/** How much of what comes after it is drawn. */
const PLAIN = 100_000

/** What may be drawn with each token, in milliseconds. */
const CHEAP = 8

/** For how many times as long as it took to draw a text nothing more of it is drawn. */
const REST = 3

/** How many blocks are drawn, and left out of sight, as one. */
const PIECE = 30

interface RichTextProps {
  text: string
  marks: readonly Mark[]
  /** Whether more of it is being written. */
  isOpen: boolean
  /** Whether a line in the source is a line of the text. */
  keepsLines: boolean
}

/** Markdown as a model writes it, which may be unfinished, and which may mean harm. */
export default function RichText({ text, marks, isOpen, keepsLines }: RichTextProps) {
  const [document] = useState(() => new MarkdownDocument())
  const shown = useStretches(text, document)
  const rest = text.length - shown
  const goesOn = isOpen || rest > 0
  document.update(text.slice(0, shown), goesOn)
  const { blocks, references } = document
  const view = useMemo(() => viewOf(blocks, goesOn), [blocks, goesOn])
  const nodes = useMarks(view, text, marks)
  const notes = useSameMap(numbered(view, references))
  const context = useMemo(
    () => ({ references, notes, keepsLines, Element }),
    [references, notes, keepsLines],
  )
  return (
    <TextContext value={context}>
      <div onCopy={copyWithFormulas}>
        <KeepSelection className="rich-text">
          {Array.from({ length: Math.ceil(nodes.length / PIECE) }, (_, index) => {
            const piece = nodes.slice(index * PIECE, (index + 1) * PIECE)
            const isLast = (index + 1) * PIECE >= nodes.length
            return (
              <div key={index} className="piece">
                <Blocks nodes={piece} isOpen={goesOn && isLast} />
              </div>
            )
          })}
          {rest > (isOpen ? STRETCH : 0) && (
            <div className="plain">{words(text.slice(shown, shown + PLAIN))}</div>
          )}
          <Notes />
        </KeepSelection>
      </div>
    </TextContext>
  )
}

/**
 * Return how much of a text is parsed now: a long one in stretches, between which the page goes on,
 * and one that is costly to draw anew less often than it grows.
 */
function useStretches(text: string, document: MarkdownDocument): number {
  const [known, setKnown] = useState({ text: '', shown: 0 })
  const pace = usePace(document)
  // What is not finished is parsed anew with what is new, which is as much, so that the cost is linear.
  const next = (shown: number): number =>
    Math.min(text.length, shown + Math.max(STRETCH, shown - document.finished))
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

/** Return until when a text that has been costly to draw is left as it is. */
function usePace(document: MarkdownDocument): { until: number } {
  const [pace] = useState({ began: 0, until: 0, drawn: document.blocks })
  pace.began ||= performance.now()
  useEffect(() => {
    const now = performance.now()
    const cost = now - pace.began
    pace.began = 0
    if (pace.drawn === document.blocks) return
    pace.drawn = document.blocks
    pace.until = cost < CHEAP ? 0 : now + REST * cost
  })
  return pace
}

/** Return blocks with marks; those without any are the same as before. */
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

/** Return the map of before while what is in it is the same. */
function useSameMap(map: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [kept, keep] = useState(map)
  if (kept.size === map.size && [...map].every(([label, number]) => kept.get(label) === number))
    return kept
  keep(map)
  return map
}
