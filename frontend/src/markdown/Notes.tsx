import { memo } from 'react'

import { useText } from '../ui/context'
import { Blocks } from './Blocks'
import type { Node } from './grammar/node'
import { grouped, isSameGroup } from './groups'
import { goToNote } from './notes'
import { Pieces } from './Pieces'

/** The most notes that the browser lays out together. */
const GROUP = 50

/** The characters from which a note is rendered in pieces. */
const LONG = 10_000

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
  const nodes = node?.children ?? []
  const isLong = (nodes.at(-1)?.end ?? 0) - (nodes[0]?.start ?? 0) > LONG
  return (
    <li id={`user-content-fn-${number}`}>
      {isLong ? <Pieces nodes={nodes} /> : <Blocks nodes={nodes} />}
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
