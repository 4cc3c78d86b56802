import { createContext, type ComponentType } from 'react'

import type { References } from './grammar/document'
import type { Node } from './grammar/node'

export interface TextSetting {
  references: References
  /** The numbers of notes, by label. */
  notes: ReadonlyMap<string, number>
  /** Whether a line in the source is a line of the text. */
  keepsLines: boolean
  /** Draws elements of HTML, which hold lines and blocks, which may hold elements. */
  Element: ComponentType<{ node: Node; parent: string | null }>
}

/** What all parts of a text share. */
export const TextContext = createContext<TextSetting>({
  references: new Map(),
  notes: new Map(),
  keepsLines: true,
  Element: () => null,
})
