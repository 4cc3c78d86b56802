import { Components } from './Children'
import type { ComponentProps } from './Component'
import { HeaderContext } from './TableCell'
import { childrenOf, isTrue } from './values'

export function Table({ widget }: ComponentProps) {
  return (
    <div className="widget-table" role="group" tabIndex={0}>
      <table>
        <tbody>
          <Components list={childrenOf(widget).filter((child) => child.type === 'Table.Row')} />
        </tbody>
      </table>
    </div>
  )
}

export function TableRow({ widget }: ComponentProps) {
  return (
    <HeaderContext value={isTrue(widget['header'])}>
      <tr>
        <Components list={childrenOf(widget).filter((child) => child.type === 'Table.Cell')} />
      </tr>
    </HeaderContext>
  )
}
