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
  /** The labels to which the block refers; those of notes start with `^`. */
  asked: ReadonlySet<string>
}

export function lineStart(text: string, index: number): number {
  return Math.max(text.lastIndexOf('\n', index - 1), text.lastIndexOf('\r', index - 1)) + 1
}
