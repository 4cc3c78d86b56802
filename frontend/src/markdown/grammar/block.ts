/** A block of a text that grows, and its place in it. */

import type { Node } from './node'

export interface Block {
  /** Where the block's source starts in the text, and where the next block's source starts. */
  from: number
  to: number
  /** Text that is parsed before the block's source. */
  prefix: string
  node: Node
  /** Whether the block continues the list, table or code of the block before it. */
  continues: boolean
  /** Whether the block starts within a line of code. */
  isInLine: boolean
  /** The labels to which the block refers; those of notes start with `^`. */
  asked: ReadonlySet<string>
}

/** Return the start of the line; a search for either line ending alone could take the whole text. */
export function lineStart(text: string, index: number): number {
  let start = index
  while (start > 0 && !'\r\n'.includes(text[start - 1] as string)) start--
  return start
}
