import { memo, useContext } from 'react'

import { useText } from '../ui/context'
import { Blocks } from './Blocks'
import type { Node } from './grammar/node'
import { grouped } from './groups'
import { goToNote } from './notes'
import { NotesContext, ReferencesContext } from './TextContext'

/** The most notes that the browser lays out together. */
const GROUP = 50

/** The footnotes of a text, below it. */
export function Notes() {
  const text = useText()
  const references = useContext(ReferencesContext)
  const notes = useContext(NotesContext)
  if (notes.size === 0) return null
  return (
    <section className="footnotes" aria-label={text('footnotes')}>
      {grouped([...notes], GROUP).map((group, index) => (
        <ol key={index} className="piece" {...(index > 0 && { start: index * GROUP + 1 })}>
          {group.map(([label, number]) => (
            <Note key={label} node={references.get(`^${label}`)} number={number} />
          ))}
        </ol>
      ))}
    </section>
  )
}

const Note = memo(function Note({ node, number }: { node: Node | undefined; number: number }) {
  const text = useText()
  return (
    <li id={`user-content-fn-${number}`}>
      <Blocks nodes={node?.children ?? []} />
      <a
        href={`#user-content-fnref-${number}`}
        className="to-note"
        aria-label={text('backToText')}
        onClick={goToNote}
      >
        ↩
      </a>
    </li>
  )
})
