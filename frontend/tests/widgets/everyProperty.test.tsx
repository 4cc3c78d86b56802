// @vitest-environment jsdom
/** Checks that widgets use every property in ChatKit's own schema. */

import { cleanup, fireEvent } from '@testing-library/react'
import { beforeAll, expect, test, vi } from 'vitest'

import WidgetView from '../../src/widgets/WidgetView'
import type { Widget, WidgetItem } from '../../src/protocol/types'
import { output } from '../python'
import { render } from '../render'
import { simulateLayout } from './layout'

interface Schema {
  $ref?: string
  anyOf?: Schema[]
  oneOf?: Schema[]
  const?: unknown
  enum?: unknown[]
  type?: string
  format?: string
  items?: Schema
  properties?: Record<string, Schema>
}

interface ComponentSchema {
  properties: Record<string, Schema>
  $defs: Record<string, Schema>
}

const ROOTS = new Set(['Card', 'ListView', 'Basic'])
/** Properties that identify components or structure the tree, and do not affect how one looks. */
const APART = new Set(['type', 'key', 'id', 'children'])

let schemas: Record<string, ComponentSchema>

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  simulateLayout()
  schemas = JSON.parse(await output(['frontend/scripts/widget_schema.py'])) as typeof schemas
}, 30_000)

/** Return values for a schema: at least one for each of its alternatives. */
function values(schema: Schema, defs: Record<string, Schema>): unknown[] {
  if (schema.$ref) return values(defs[schema.$ref.replace('#/$defs/', '')] ?? {}, defs)
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives) return alternatives.flatMap((each) => values(each, defs))
  if ('const' in schema) return [schema.const]
  if (schema.enum) return [schema.enum[0]]
  switch (schema.type) {
    case 'null':
      return []
    case 'boolean':
      return [false, true]
    case 'integer':
    case 'number':
      return [2]
    case 'string':
      return [schema.format === 'date-time' ? '2026-02-03T00:00:00Z' : 'text']
    case 'array':
      return [values(schema.items ?? {}, defs)]
    case 'object':
      return objects(schema.properties ?? {}, defs)
    default:
      return [{ any: 'thing' }]
  }
}

/** Return objects with all of some properties, so that each value of each occurs. */
function objects(properties: Record<string, Schema>, defs: Record<string, Schema>): object[] {
  const each = Object.entries(properties).map(
    ([name, schema]) => [name, values(schema, defs)] as const,
  )
  const count = Math.max(1, ...each.map(([, list]) => list.length))
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(
      each
        .filter(([, list]) => list.length > 0)
        .map(([name, list]) => [name, list[index % list.length]]),
    ),
  )
}

/** Return the paths of all properties in a schema. */
function paths(schema: Schema, defs: Record<string, Schema>, prefix: string): string[] {
  if (schema.$ref) return paths(defs[schema.$ref.replace('#/$defs/', '')] ?? {}, defs, prefix)
  const parts = [
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ]
  return [
    ...parts.flatMap((each) => paths(each, defs, prefix)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, each]) => [
      `${prefix}.${name}`,
      ...paths(each, defs, `${prefix}.${name}`),
    ]),
  ]
}

/** Wrap a value to record what our components read of it; reads by React's tools do not count. */
function watched<T extends object>(value: T, prefix: string, read: Set<string>): T {
  const known = new Map<unknown, object>()
  return new Proxy(value, {
    get(target, name, receiver) {
      const held: unknown = Reflect.get(target, name, receiver)
      if (typeof name === 'symbol') return held
      const path = Array.isArray(target) ? prefix : `${prefix}.${name}`
      if (new Error().stack?.includes('/src/widgets/')) read.add(path)
      // A payload is sent unchanged.
      if (typeof held !== 'object' || held === null || name === 'payload') return held
      if (!known.has(held)) known.set(held, watched(held, path, read))
      return known.get(held)
    },
  })
}

/** A form around a component, unless it is one itself. */
function inForm(component: Widget): Widget {
  const confirm = { label: 'Go', action: { type: 'go', handler: 'client' } }
  return { type: 'Card', asForm: component.type !== 'Form', confirm, children: [component] }
}

function childrenFor(type: string): unknown {
  const text = { type: 'Text', value: 'text' }
  if (type === 'Transition') return text
  return type === 'ListView'
    ? [1, 2, 3].map(() => ({ type: 'ListViewItem', children: [text] }))
    : [text]
}

async function unread(type: string, { properties, $defs }: ComponentSchema): Promise<string[]> {
  const own = Object.fromEntries(Object.entries(properties).filter(([name]) => !APART.has(name)))
  const read = new Set<string>()
  for (const given of objects(own, $defs)) {
    const component = {
      ...given,
      type,
      ...('children' in properties && { children: childrenFor(type) }),
    }
    const drawn = watched(component as Widget, type, read)
    const widget = ROOTS.has(type) ? drawn : inForm(drawn)
    const item = { type: 'widget', id: 'i', thread_id: 't', created_at: '', widget } as WidgetItem
    await render(<WidgetView widget={widget} item={item} />, () => 500)
    for (const element of document.querySelectorAll('input, textarea')) {
      fireEvent.change(element, { target: { value: '7' } })
    }
    for (const element of document.querySelectorAll('button, input')) fireEvent.click(element)
    for (const form of document.querySelectorAll('form')) fireEvent.submit(form)
    const isDrawn = !document.body.textContent.includes('This part cannot be shown.')
    cleanup()
    if (!isDrawn) return [`${type} is not drawn`]
  }
  const wanted = paths({ properties: own }, $defs, type)
  return [...new Set(wanted.filter((path) => !read.has(path)))]
}

test('every component of ChatKit is drawn, and every property is used', async () => {
  const overlooked: string[] = []
  for (const [type, schema] of Object.entries(schemas))
    overlooked.push(...(await unread(type, schema)))
  expect(Object.keys(schemas).length).toBeGreaterThan(25)
  expect(overlooked).toEqual([])
}, 60_000)
