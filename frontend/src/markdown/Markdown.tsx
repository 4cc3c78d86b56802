import { lazy, memo, Suspense } from 'react'

import { Boundary } from '../ui/Boundary'
import { patiently } from '../chat/patiently'
import type { Mark } from './sources'
import { words } from './Words'

const load = () => import('./RichText')
const RichText = lazy(() => patiently(load))

/** Load the code for Markdown, which is the largest part, before it is needed. */
export function preloadMarkdown(): void {
  load().catch(() => {})
}

interface MarkdownProps {
  text: string
  /** The places where the text cites its sources. */
  marks?: readonly Mark[]
  /** Whether more text is being written. */
  isOpen?: boolean
  /** Whether line breaks in the source are kept, as in messages that people write. */
  keepsLines?: boolean
}

const NONE: readonly Mark[] = []

/** A component of its own, because to look at all of a text takes long. */
function Plain({ text }: { text: string }) {
  return (
    <div className="plain" dir="auto">
      {words(text)}
    </div>
  )
}

/** Text with Markdown; plain until the code for it has loaded. */
export const Markdown = memo(function Markdown(props: MarkdownProps) {
  const { text, marks = NONE, isOpen = false, keepsLines = true } = props
  const plain = <Plain text={text} />
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
