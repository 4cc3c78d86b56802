/** A block of a text that grows, and its place in it. */

import type { Node } from './node'

export interface Block {
  /** Where its source begins in the text, and where that of the next one does. */
  from: number
  to: number
  /** What comes before its source when it is parsed. */
  prefix: string
  node: Node
  /** Whether it goes on with the list, the table or the code of the block before it. */
  continues: boolean
  /** The labels that it asked for, those of notes with a `^`. */
  asked: ReadonlySet<string>
}

export function lineStart(text: string, index: number): number {
  return Math.max(text.lastIndexOf('\n', index - 1), text.lastIndexOf('\r', index - 1)) + 1
}
