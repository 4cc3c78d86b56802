import { lazy, memo, Suspense, useState } from 'react'

import { Boundary } from '../ui/Boundary'
import { MarkdownChunks } from './chunks'
import { withMarks, type Mark } from './marks'

const load = () => import('./RichText')
const RichText = lazy(load)

/** Load what draws Markdown, which is most of the code, before it is needed and after the rest. */
export function preloadMarkdown(): void {
  void load()
}

interface MarkdownProps {
  text: string
  /** Where the text is marked with its sources. */
  marks?: readonly Mark[]
  /** Whether more of it is being written. */
  isOpen?: boolean
}

/** Text with Markdown; plain until what draws it is there. */
export const Markdown = memo(function Markdown({
  text,
  marks = [],
  isOpen = false,
}: MarkdownProps) {
  const [chunks] = useState(() => new MarkdownChunks())
  const pieces = chunks.of(text)
  let start = 0
  return (
    <div className="markdown">
      {pieces.map((piece, index) => {
        const isLast = index === pieces.length - 1
        const end = start + piece.length
        const from = start
        const here = marks.filter((mark) => mark.index > from && (mark.index <= end || isLast))
        start = end
        const marked = withMarks(
          piece,
          here.map((mark) => ({ ...mark, index: mark.index - from })),
        )
        return <Piece key={index} text={marked} plain={piece} isOpen={isOpen && isLast} />
      })}
    </div>
  )
})

interface PieceProps {
  text: string
  /** The text without marks. */
  plain: string
  isOpen: boolean
}

const Piece = memo(function Piece({ text, plain, isOpen }: PieceProps) {
  const words = (
    <div className="plain" dir="auto">
      {plain}
    </div>
  )
  // What is nested too deeply to be drawn can still be read.
  return (
    <Boundary fallback={words}>
      <Suspense fallback={words}>
        <RichText text={text} isOpen={isOpen} />
      </Suspense>
    </Boundary>
  )
})
