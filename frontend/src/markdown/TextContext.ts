import { createContext, type ComponentType } from 'react'

import type { References } from './grammar/document'
import type { Node } from './grammar/node'

export interface TextSetting {
  references: References
  /** The numbers of notes, by label. */
  notes: ReadonlyMap<string, number>
  /** Whether line breaks in the source are kept. */
  keepsLines: boolean
  /** Renders HTML elements; in the context because elements and blocks may contain each other. */
  Element: ComponentType<{ node: Node; parent: string | null }>
}

/** The values that all parts of a text share. */
export const TextContext = createContext<TextSetting>({
  references: new Map(),
  notes: new Map(),
  keepsLines: true,
  Element: () => null,
})
