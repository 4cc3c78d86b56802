/** The payload of an action: its own, with the values of the form around it. */

import { isObject } from '../chat/isObject'
import type { Fields } from './values'

interface Filled {
  payload: unknown
  /** The names of values that were left out because the payload already has a value there. */
  lost: string[]
}

/**
 * Return a payload with values added, each under its name; dots in a name address nested objects.
 *
 * Values never replace the payload's own.
 */
export function filled(
  payload: unknown,
  values: readonly (readonly [name: string, value: unknown])[],
): Filled {
  if (values.length === 0) return { payload, lost: [] }
  if (payload !== undefined && payload !== null && !isObject(payload)) {
    return { payload, lost: values.map(([name]) => name) }
  }
  const whole: Fields = structuredClone(payload ?? {})
  const lost = values.filter(([name, value]) => !put(whole, name.split('.'), value))
  return { payload: whole, lost: lost.map(([name]) => name) }
}

/** Set a value at a path, and return whether the path was free. */
function put(into: Fields, path: readonly string[], value: unknown): boolean {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    if (Object.hasOwn(into, key)) return false
    define(into, key, value)
    return true
  }
  if (!Object.hasOwn(into, key)) define(into, key, {})
  const next = into[key]
  return isObject(next) && put(next, rest, value)
}

/** Set an own property under any name, `__proto__` included. */
function define(into: Fields, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true })
}
