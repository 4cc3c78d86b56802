import { memo } from 'react'

import { CopyButton } from '../ui/CopyButton'
import { csvOf } from './csv'
import { directionOf } from './grammar/direction'
import type { Node } from './grammar/node'
import { Inline } from './Inline'

/** A table that scrolls by itself when it is wider than the message, and can be copied. */
export function TableBlock({ node }: { node: Node }) {
  const [head, ...rows] = node.children ?? []
  const align = node.align ?? []
  return (
    <div className="table-block">
      <div className="wide-table" role="group" tabIndex={0}>
        <table dir={head && directionOf(head)}>
          <thead>{head && <Row node={head} align={align} isHead />}</thead>
          {rows.length > 0 && (
            <tbody>
              {rows.map((row) => (
                <Row key={row.start} node={row} align={align} isHead={false} />
              ))}
            </tbody>
          )}
        </table>
      </div>
      <CopyButton label="copyTable" textOf={() => csvOf(node)} />
    </div>
  )
}

interface RowProps {
  node: Node
  align: readonly (string | null)[]
  isHead: boolean
}

const Row = memo(
  function Row({ node, align, isHead }: RowProps) {
    const Cell = isHead ? 'th' : 'td'
    const cells = node.children ?? []
    return (
      <tr>
        {Array.from({ length: Math.max(align.length, cells.length) }, (_, index) => {
          const cell = cells[index]
          return (
            <Cell
              key={index}
              dir={cell && directionOf(cell)}
              data-align={align[index] ?? undefined}
            >
              <Inline nodes={cell?.children} />
            </Cell>
          )
        })}
      </tr>
    )
  },
  (before, now) => before.node === now.node && before.align.join() === now.align.join(),
)
