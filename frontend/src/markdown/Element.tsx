import { createElement, type ReactNode } from 'react'

import { Inner } from './Blocks'
import type { Node } from './grammar/node'
import { isBlock, paragraphs } from './grammar/shape'
import { Inline } from './Inline'

/** Elements that are valid only inside certain others. */
const PARENTS: Record<string, readonly string[]> = {
  caption: ['table'],
  thead: ['table'],
  tbody: ['table'],
  tfoot: ['table'],
  tr: ['table', 'thead', 'tbody', 'tfoot'],
  td: ['tr'],
  th: ['tr'],
  li: ['ul', 'ol'],
  dt: ['dl'],
  dd: ['dl'],
  summary: ['details'],
  rt: ['ruby'],
  rp: ['ruby'],
  figcaption: ['figure'],
}
const STRICT = new Set(['table', 'thead', 'tbody', 'tfoot', 'tr', 'ul', 'ol', 'dl'])
const ATTRIBUTES: Record<string, string> = {
  dir: 'dir',
  title: 'title',
  open: 'open',
  start: 'start',
  colspan: 'colSpan',
  rowspan: 'rowSpan',
}

/** An HTML element, rendered with only a few of its attributes. */
export function Element({ node, parent }: { node: Node; parent: string | null }) {
  const name = nameOf(node, parent)
  const children = node.children ?? []
  const content = children.some(isBlock) ? (
    within(name, paragraphs(children))
  ) : (
    <Inline nodes={children} />
  )
  return createElement(name, attributesOf(node), content)
}

function within(name: string, nodes: readonly Node[]): ReactNode {
  const inner = runsOf(nodes).map((run, index) =>
    Array.isArray(run) ? (
      <Inner key={index} nodes={run} />
    ) : (
      <Element key={index} node={run} parent={name} />
    ),
  )
  const hasRows = name === 'table' && nodes.some((each) => each.name === 'tr')
  return hasRows ? <tbody>{inner}</tbody> : inner
}

/** Return elements, and the blocks between them. */
function runsOf(nodes: readonly Node[]): (Node | Node[])[] {
  const runs: (Node | Node[])[] = []
  for (const node of nodes) {
    const last = runs.at(-1)
    if (node.type === 'element') runs.push(node)
    else if (Array.isArray(last)) last.push(node)
    else runs.push([node])
  }
  return runs
}

/** Return the tag to render: table parts outside of a table, for example, would break the page. */
function nameOf({ name = 'span', children = [] }: Node, parent: string | null): string {
  const isPart = PARENTS[name]?.includes(parent ?? '') ?? true
  const instead = name === 'rt' || name === 'rp' ? 'span' : 'div'
  if (!isPart) return instead
  const isWhole = children.every((each) =>
    each.type === 'text' ? each.value?.trim() === '' : PARENTS[each.name ?? '']?.includes(name),
  )
  const hasMixedRows =
    name === 'table' && new Set(children.map((each) => each.name === 'tr')).size > 1
  return STRICT.has(name) &&
    (!isWhole || (hasMixedRows && children.some((each) => each.name === 'tbody')))
    ? instead
    : name
}

function attributesOf({ attributes = {} }: Node): Record<string, string | boolean> {
  const kept: Record<string, string | boolean> = {}
  for (const [name, value] of Object.entries(attributes)) {
    const property = ATTRIBUTES[name]
    if (property === undefined) continue
    const isNumber = name !== 'dir' && name !== 'title' && name !== 'open'
    if (isNumber && !/^\d{1,4}$/.test(value)) continue
    if (name === 'dir' && !/^(?:ltr|rtl|auto)$/i.test(value)) continue
    kept[property] = name === 'open' ? true : value
  }
  return kept
}
