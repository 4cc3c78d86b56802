import { createElement, Fragment, memo, useContext, useMemo, type ReactNode } from 'react'

import { useText } from '../ui/context'
import { CodeBlock } from './CodeBlock'
import { directionOf } from './grammar/direction'
import type { Node } from './grammar/node'
import { isDefinition } from './grammar/references'
import { isBlock } from './grammar/shape'
import { costOf, inParts, isLoose } from './grammar/view'
import { grouped, isSameGroup } from './groups'
import { Inline } from './Inline'
import { TableBlock } from './TableBlock'
import { TextContext } from './TextContext'

interface BlocksProps {
  nodes: readonly Node[]
  /** Whether the last block is being written. */
  isOpen?: boolean
}

/** The most blocks, and the cost, that are rendered, and skipped out of view, together. */
const PIECE = { blocks: 30, cost: 5_000 }

/** Blocks in pieces, so that the browser lays out only those near the view. */
export function Pieces({ nodes, isOpen = false }: BlocksProps) {
  const pieces = useMemo(
    () => grouped(nodes.flatMap(inParts), PIECE.blocks, PIECE.cost, costOf),
    [nodes],
  )
  return pieces.map((piece, index, { length }) => (
    <div key={index} className="piece">
      <Blocks nodes={piece} isOpen={isOpen && index === length - 1} />
    </div>
  ))
}

/** The blocks in another block; in pieces if they are more than one. */
export function Inner({ nodes, isOpen = false }: BlocksProps) {
  const cost = nodes.reduce((sum, node) => sum + costOf(node), 0)
  const Some = cost > PIECE.cost ? Pieces : Blocks
  return <Some nodes={nodes} isOpen={isOpen} />
}

/** A list of blocks. */
export const Blocks = memo(function Blocks({ nodes, isOpen = false }: BlocksProps) {
  return nodes.map((node, index) => (
    <Block key={node.start} node={node} isOpen={isOpen && index === nodes.length - 1} />
  ))
}, isSameGroup)

const Block = memo(function Block({ node, isOpen }: { node: Node; isOpen: boolean }): ReactNode {
  const { Element } = useContext(TextContext)
  switch (node.type) {
    case 'paragraph':
      return <Paragraph node={node} />
    case 'heading':
      return createElement(
        `h${node.depth ?? 1}`,
        { dir: directionOf(node) },
        <Inline nodes={node.children} />,
      )
    case 'blockquote':
      return (
        <blockquote dir={directionOf(node)}>
          <Inner nodes={node.children ?? []} isOpen={isOpen} />
        </blockquote>
      )
    case 'list':
      return <List node={node} isOpen={isOpen} />
    case 'thematicBreak':
      return <hr />
    case 'code':
      return <CodeBlock node={node} isOpen={isOpen} />
    case 'table':
      return <TableBlock node={node} />
    case 'definition':
    case 'footnoteDefinition':
      // Shown below the text, or where the text refers to it, wherever it is.
      return null
    case 'element':
      return <Element node={node} parent={null} />
    default:
      return <Inline nodes={[node]} />
  }
})

function Paragraph({ node }: { node: Node }) {
  // A block inside inline HTML cannot be in a paragraph.
  const name = node.children?.some(isBlock) ? 'div' : 'p'
  const className = node.goesOn === true ? 'goes-on' : undefined
  return createElement(
    name,
    { dir: directionOf(node), className },
    <Inline nodes={node.children} />,
  )
}

/** The number of items of a list that are rendered together. */
const GROUP = 50

function List({ node, isOpen }: { node: Node; isOpen: boolean }) {
  const items = node.children ?? []
  const loose = isLoose(node)
  const inner = grouped(items, GROUP).map((group, index, { length }) => (
    <Items key={index} nodes={group} isLoose={loose} isOpen={isOpen && index === length - 1} />
  ))
  const dir = directionOf(node.leader ?? items[0] ?? node)
  const start = node.first ?? 1
  const names = [loose && 'loose', node.leader && 'goes-on'].filter(Boolean).join(' ')
  const name = names || undefined
  if (node.ordered !== true) {
    return (
      <ul dir={dir} className={name}>
        {inner}
      </ul>
    )
  }
  return (
    <ol dir={dir} className={name} {...(start !== 1 && { start })}>
      {inner}
    </ol>
  )
}

interface ItemsProps {
  nodes: readonly Node[]
  isLoose: boolean
  isOpen: boolean
}

const Items = memo(function Items({ nodes, isLoose, isOpen }: ItemsProps) {
  return nodes.map((item, index) => (
    <Item
      key={item.start}
      node={item}
      isLoose={isLoose}
      isOpen={isOpen && index === nodes.length - 1}
    />
  ))
}, isSameGroup)

interface ItemProps {
  node: Node
  isLoose: boolean
  isOpen: boolean
}

const Item = memo(function Item({ node, isLoose, isOpen }: ItemProps) {
  const { checked } = node
  const children = (node.children ?? []).filter((child) => !isDefinition(child))
  const blocks = isLoose ? 0 : children.findIndex(({ type }) => type !== 'paragraph')
  const lines = blocks === -1 ? children : children.slice(0, blocks)
  const box = typeof checked === 'boolean' && <Checkbox isDone={checked} />
  const isLead = lines.length > 0 && lines.length < children.length
  const names = [box !== false && 'task', isLead && 'lead'].filter(Boolean).join(' ')
  return (
    <li dir={directionOf(node)} className={names || undefined}>
      {box}
      {lines.map((line, index) => (
        <Fragment key={line.start}>
          {index > 0 && <br />}
          <Inline nodes={line.children} />
        </Fragment>
      ))}
      {lines.length < children.length && (
        <Inner nodes={children.slice(lines.length)} isOpen={isOpen} />
      )}
    </li>
  )
})

/** The checkbox of a task in a list. */
function Checkbox({ isDone }: { isDone: boolean }) {
  const text = useText()
  return <input type="checkbox" checked={isDone} disabled aria-label={text('done')} />
}
