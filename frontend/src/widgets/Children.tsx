import { startTransition, useEffect, useState, type ReactNode } from 'react'

import type { Widget } from '../protocol/types'
import { Component } from './Component'
import { later } from '../chat/later'
import { childrenOf } from './values'
import { fitting } from './weight'

/** The children of a component. */
export function Children({ of: widget }: { of: Widget }) {
  return <Components list={childrenOf(widget)} />
}

/** Components in order: the first ones at once, the others piece by piece. */
export function Components({ list }: { list: readonly Widget[] }): ReactNode {
  const [grown, setGrown] = useState(0)
  const count = Math.max(grown, fitting(list, 0))
  const isMore = count < list.length
  useEffect(() => {
    if (!isMore) return undefined
    return later(() => startTransition(() => setGrown(fitting(list, count))))
  }, [isMore, list, count])
  const drawn = isMore ? list.slice(0, count) : list
  const keys = keysOf(drawn)
  return drawn.map((child, index) => <Component key={keys[index]} widget={child} />)
}

/**
 * Return React keys that stay the same when siblings come and go.
 *
 * Components may lack keys or share them; then their order among those of the same kind decides.
 */
function keysOf(list: readonly Widget[]): string[] {
  const counts = new Map<string, number>()
  return list.map((child) => {
    const name = `${child.type}:${String(child.key ?? child.id ?? child['name'] ?? '')}`
    const count = counts.get(name) ?? 0
    counts.set(name, count + 1)
    return `${name}:${count}`
  })
}
