import { createElement, Fragment, memo, useContext, type ReactNode } from 'react'

import { useText } from '../ui/context'
import { CodeBlock } from './CodeBlock'
import { directionOf } from './grammar/direction'
import type { Node } from './grammar/node'
import { isBlock } from './grammar/shape'
import { isDefinition } from './grammar/unused'
import { isLoose } from './grammar/view'
import { grouped, isSameGroup } from './groups'
import { Inline } from './Inline'
import { TableBlock } from './TableBlock'
import { TextContext } from './TextContext'

interface BlocksProps {
  nodes: readonly Node[]
  /** Whether the last block is being written. */
  isOpen?: boolean
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
          <Blocks nodes={node.children ?? []} isOpen={isOpen} />
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
  const box = typeof checked === 'boolean' && <Checkbox isDone={checked} />
  return (
    <li dir={directionOf(node)} {...(box !== false && { className: 'task' })}>
      {box}
      {children.map((child, index) => {
        const isLast = index === children.length - 1
        if (child.type !== 'paragraph' || isLoose) {
          return <Block key={child.start} node={child} isOpen={isOpen && isLast} />
        }
        return (
          <Fragment key={child.start}>
            {children[index - 1]?.type === 'paragraph' && <br />}
            <Inline nodes={child.children} />
          </Fragment>
        )
      })}
    </li>
  )
})

/** The checkbox of a task in a list. */
function Checkbox({ isDone }: { isDone: boolean }) {
  const text = useText()
  return <input type="checkbox" checked={isDone} disabled aria-label={text('done')} />
}
