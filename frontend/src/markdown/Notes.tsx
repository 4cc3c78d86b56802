import { memo } from 'react'

import { useText } from '../ui/context'
import { Inner } from './Blocks'
import type { Node } from './grammar/node'
import { grouped, isSameGroup } from './groups'
import { goToNote } from './notes'

/** The most notes that the browser lays out together. */
const GROUP = 50

interface NotesProps {
  /** By label, in the order of their numbers. */
  notes: ReadonlyMap<string, Node>
}

/** The footnotes of a text, below it. */
export function Notes({ notes }: NotesProps) {
  const text = useText()
  if (notes.size === 0) return null
  return (
    <section className="footnotes" aria-label={text('footnotes')}>
      {grouped([...notes], GROUP).map((group, index) => (
        <Group
          key={index}
          labels={group.map(([label]) => label)}
          nodes={group.map(([, node]) => node)}
          first={index * GROUP + 1}
        />
      ))}
    </section>
  )
}

interface GroupProps {
  labels: readonly string[]
  nodes: readonly (Node | undefined)[]
  /** The number of the first note. */
  first: number
}

const Group = memo(function Group({ labels, nodes, first }: GroupProps) {
  return (
    <ol className="piece" {...(first > 1 && { start: first })}>
      {labels.map((label, index) => (
        <Note key={label} node={nodes[index]} number={first + index} />
      ))}
    </ol>
  )
}, isSameGroup)

const Note = memo(function Note({ node, number }: { node: Node | undefined; number: number }) {
  const text = useText()
  return (
    <li id={`user-content-fn-${number}`}>
      <Inner nodes={node?.children ?? []} />
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
