import { createContext, use } from 'react'

import { defined, lengthOf, paddingOf } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'
import { numberOf, oneOf } from './values'

/** Whether a cell is in a header row. */
export const HeaderContext = createContext(false)

const ALIGN = ['start', 'center', 'end'] as const
const VERTICAL = { start: 'top', center: 'middle', end: 'bottom' } as const
const WIDTHS = { xs: '64px', sm: '96px', md: '160px', lg: '240px', xl: '320px' } as const
const WIDEST = 100

export function TableCell({ widget }: ComponentProps) {
  const Tag = use(HeaderContext) ? 'th' : 'td'
  const colSize = oneOf(widget['colSize'], Object.keys(WIDTHS) as (keyof typeof WIDTHS)[], null)
  const style = defined({
    width: lengthOf(widget['width']) ?? (colSize === null ? undefined : WIDTHS[colSize]),
    textAlign: oneOf(widget['align'], ALIGN, undefined),
    verticalAlign: VERTICAL[oneOf(widget['vAlign'], ALIGN, 'center')],
    ...paddingOf(widget['padding']),
  })
  return (
    <Tag colSpan={span(widget['colSpan'])} rowSpan={span(widget['rowSpan'])} style={style}>
      <Children of={widget} />
    </Tag>
  )
}

function span(value: unknown): number | undefined {
  const number = numberOf(value)
  return number === null ? undefined : Math.max(1, Math.min(WIDEST, Math.floor(number)))
}
