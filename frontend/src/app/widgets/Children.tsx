import type { Widget } from '../../protocol/types'
import { Component } from './Component'
import { childrenOf } from './values'

/** What a component holds. */
export function Children({ of: widget }: { of: Widget }) {
  return <Components list={childrenOf(widget)} />
}

export function Components({ list }: { list: readonly Widget[] }) {
  return list.map((child, index) => (
    <Component key={keyOf(child, index)} widget={child} />
  ))
}

/** Keys may be missing, and may be the same; what has one keeps what it holds when others come and go. */
function keyOf(child: Widget, index: number): string {
  return `${child.type}:${String(child.key ?? child.id ?? index)}`
}
