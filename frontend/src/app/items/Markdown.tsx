import { lazy, memo, Suspense } from 'react'

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
  return (
    <div className="markdown">
      <Suspense fallback={<div className="plain">{text}</div>}>
        <RichText text={text} isOpen={isOpen} />
      </Suspense>
    </div>
  )
})
