import { lazy, memo, Suspense } from 'react'

import { Boundary } from '../ui/Boundary'
import type { Mark } from './sources'
import { words } from './Words'

const load = () => import('./RichText')
const RichText = lazy(load)

/** Load what draws Markdown, which is most of the code, before it is needed and after the rest. */
export function preloadMarkdown(): void {
  load().catch(() => {})
}

interface MarkdownProps {
  text: string
  /** Where the text is marked with its sources. */
  marks?: readonly Mark[]
  /** Whether more of it is being written. */
  isOpen?: boolean
  /** Whether a line in the source is a line of the text, as people write messages. */
  keepsLines?: boolean
}

const NONE: readonly Mark[] = []

/** Text with Markdown; plain until what draws it is there. */
export const Markdown = memo(function Markdown(props: MarkdownProps) {
  const { text, marks = NONE, isOpen = false, keepsLines = true } = props
  const plain = (
    <div className="plain" dir="auto">
      {words(text)}
    </div>
  )
  return (
    <div className="markdown">
      <Boundary fallback={plain}>
        <Suspense fallback={plain}>
          <RichText text={text} marks={marks} isOpen={isOpen} keepsLines={keepsLines} />
        </Suspense>
      </Boundary>
    </div>
  )
})
