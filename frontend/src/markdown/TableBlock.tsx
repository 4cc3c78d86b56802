import { memo } from 'react'

import { CopyButton } from '../ui/CopyButton'
import { csvOf } from './csv'
import { directionOf } from './grammar/direction'
import type { Node } from './grammar/node'
import { wholeTable } from './grammar/view'
import { grouped, isSameGroup } from './groups'
import { Inline } from './Inline'

/** A table that scrolls by itself when it is wider than the message, and can be copied. */
export function TableBlock({ node }: { node: Node }) {
  const [head, ...rows] = node.children ?? []
  const align = (node.align ?? []).join()
  return (
    <div className="table-block">
      <div className="wide-table" role="group" tabIndex={0}>
        <table dir={head && directionOf(head)}>
          <thead>{head && <Row node={head} align={align} isHead />}</thead>
          {rows.length > 0 && (
            <tbody>
              {grouped(rows, GROUP).map((group, index) => (
                <Rows key={index} nodes={group} align={align} />
              ))}
            </tbody>
          )}
        </table>
      </div>
      <CopyButton label="copyTable" textOf={() => csvOf(wholeTable(node))} />
    </div>
  )
}

/** The number of rows that are rendered together. */
const GROUP = 50

/** Rows of a table. `align` holds the alignment of each column, with commas in between. */
const Rows = memo(function Rows({ nodes, align }: { nodes: readonly Node[]; align: string }) {
  return nodes.map((row) => <Row key={row.start} node={row} align={align} isHead={false} />)
}, isSameGroup)

interface RowProps {
  node: Node
  align: string
  isHead: boolean
}

const Row = memo(function Row({ node, align, isHead }: RowProps) {
  const Cell = isHead ? 'th' : 'td'
  const cells = node.children ?? []
  const sides = align.split(',')
  const missing = sides.length - cells.length
  return (
    <tr>
      {cells.map((cell, index) => (
        <Cell key={index} dir={directionOf(cell)} data-align={sides[index] || undefined}>
          <Inline nodes={cell.children} />
        </Cell>
      ))}
      {missing > 0 && <Cell colSpan={missing} />}
    </tr>
  )
})
