import { startTransition, useEffect, useState, type ReactNode } from 'react'

import type { Widget } from '../../protocol/types'
import { Component } from './Component'
import { later } from './later'
import { childrenOf } from './values'
import { fitting } from './weight'

/** What a component holds. */
export function Children({ of: widget }: { of: Widget }) {
  return <Components list={childrenOf(widget)} />
}

/** Components in their order: as many as can be drawn at once, and the others piece by piece. */
export function Components({ list }: { list: readonly Widget[] }): ReactNode {
  const [grown, setGrown] = useState(0)
  const count = Math.max(grown, fitting(list, 0))
  const isMore = count < list.length
  useEffect(() => {
    if (!isMore) return undefined
    return later(() => startTransition(() => setGrown(fitting(list, count))))
  }, [isMore, list, count])
  const drawn = isMore ? list.slice(0, count) : list
  return drawn.map((child, index) => <Component key={keyOf(child, index)} widget={child} />)
}

/** Keys may be missing, and may be the same; what has one keeps what it holds when others come and go. */
function keyOf(child: Widget, index: number): string {
  return `${child.type}:${String(child.key ?? child.id ?? index)}`
}
