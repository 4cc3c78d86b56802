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

/** How much of a text is parsed at a stretch, in characters; what comes after it is plain until then. */
const STRETCH = 4_000

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
  const shown = useStretches(text)
  const goesOn = isOpen || shown < text.length
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
          {shown < text.length && <div className="plain">{text.slice(shown)}</div>}
          <Notes />
        </KeepSelection>
      </div>
    </TextContext>
  )
}

/** Return how much of a text is parsed now: a long one in stretches, between which the page goes on. */
function useStretches(text: string): number {
  const [known, setKnown] = useState({ text, shown: Math.min(text.length, STRETCH) })
  let { shown } = known
  if (known.text !== text) {
    shown = text.startsWith(known.text) ? known.shown : 0
    shown = Math.min(text.length, shown + STRETCH)
    setKnown({ text, shown })
  }
  useEffect(() => {
    if (shown >= text.length) return
    const timer = setTimeout(() =>
      setKnown({ text, shown: Math.min(text.length, shown + STRETCH) }),
    )
    return () => clearTimeout(timer)
  }, [text, shown])
  return shown
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
