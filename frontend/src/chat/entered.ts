/** Unsent input for the items of a thread: edits, answers and values in widgets. */

import { isPending } from '../protocol/thread'
import type { ThreadItem } from '../protocol/types'
import { isContent, textOf, type Content } from './content'
import { isObject } from './isObject'

export type FieldValue = string | boolean

/** The value of a widget's control. */
export interface KeptField {
  initial: FieldValue
  value: FieldValue
  /** Whether the value is a password. The browser does not store passwords. */
  isSecret?: boolean
}

/** The values of a widget's controls that differ from the initial ones, by form and name. */
export interface KeptFields {
  get: (key: string) => KeptField | undefined
  set: (key: string, field: KeptField) => void
}

/** Unsent input for one item, whose kind decides which property is set. */
export interface Entry {
  /** The new content of a message. */
  edit?: Content
  /** Whether the edit was sent. The server has not confirmed it yet. */
  isSent?: boolean
  /** The answers to questions, by their IDs. */
  answers?: Readonly<Record<string, readonly string[]>>
  fields?: Readonly<Record<string, KeptField>>
}

export type Entered = Readonly<Record<string, Entry>>

/** The number of items in a thread whose entries are kept. */
const MAX = 50

/** Change what was entered into an item; `null` removes it. */
export function withEntry(entered: Entered, itemId: string, entry: Entry | null): Entered {
  const { [itemId]: _, ...others } = entered
  if (entry === null) return others
  const newest = Object.fromEntries(Object.entries(others).slice(1 - MAX))
  return { ...newest, [itemId]: entry }
}

/** Return what can still be sent, given a thread's items; `isWhole` if these are all of them. */
export function stillOpen(
  entered: Entered,
  items: readonly ThreadItem[],
  isWhole: boolean,
): Entered {
  let open = entered
  for (const [id, entry] of Object.entries(entered)) {
    const index = items.findIndex((item) => item.id === id)
    const item = items[index]
    if (item === undefined ? isWhole : isDone(entry, item, items.slice(index + 1))) {
      open = withEntry(open, id, null)
    } else if (entry.isSent) {
      open = withEntry(open, id, { ...entry, isSent: false })
    }
  }
  return open
}

/** Return whether the server has what was entered, or does not take it any more. */
function isDone({ edit, isSent }: Entry, item: ThreadItem, later: readonly ThreadItem[]): boolean {
  if (item.type === 'user_message') {
    return isSent === true && edit !== undefined && textOf(edit) === textOf(item.content)
  }
  if (item.type !== 'structured_input') return false
  return !isPending(item) || later.some(({ type }) => type === 'user_message')
}

/** Return the valid part of a stored value: other scripts of the page can write to the storage. */
export function enteredFrom(stored: unknown): Entered {
  const entries = isObject(stored) ? Object.entries(stored) : []
  return Object.fromEntries(entries.filter((pair): pair is [string, Entry] => isEntry(pair[1])))
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value)) return false
  const { edit, answers = {}, fields = {} } = value
  return (
    (edit === undefined || isContent(edit)) &&
    isObject(answers) &&
    Object.values(answers).every(
      (each) => Array.isArray(each) && each.every((answer) => typeof answer === 'string'),
    ) &&
    isObject(fields) &&
    Object.values(fields).every(
      (each) => isObject(each) && isFieldValue(each['initial']) && isFieldValue(each['value']),
    )
  )
}

function isFieldValue(value: unknown): value is FieldValue {
  return typeof value === 'string' || typeof value === 'boolean'
}
