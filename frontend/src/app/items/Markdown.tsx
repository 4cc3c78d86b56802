import { lazy, memo, Suspense, useState } from 'react'

import { MarkdownChunks } from './markdownChunks'

const load = () => import('./RichText')
const RichText = lazy(load)

/** Load what draws Markdown, which is most of the code, before it is needed and after the rest. */
export function preloadMarkdown(): void {
  void load()
}

interface MarkdownProps {
  text: string
  /** Whether more of it is being written. */
  isOpen?: boolean
}

/** Text with Markdown; plain until what draws it is there. */
export const Markdown = memo(function Markdown({ text, isOpen = false }: MarkdownProps) {
  const [chunks] = useState(() => new MarkdownChunks())
  const pieces = chunks.of(text)
  return (
    <div className="markdown">
      {pieces.map((piece, index) => (
        <Piece key={index} text={piece} isOpen={isOpen && index === pieces.length - 1} />
      ))}
    </div>
  )
})

const Piece = memo(function Piece({ text, isOpen }: { text: string; isOpen: boolean }) {
  return (
    <Suspense fallback={<div className="plain">{text}</div>}>
      <RichText text={text} isOpen={isOpen} />
    </Suspense>
  )
})
