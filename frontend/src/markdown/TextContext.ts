import { createContext, type ComponentType } from 'react'

import type { Node } from './grammar/node'
import { References } from './grammar/references'

export interface TextSetting {
  /** Whether line breaks in the source are kept. */
  keepsLines: boolean
  /** Renders HTML elements; in the context because elements and blocks may contain each other. */
  Element: ComponentType<{ node: Node; parent: string | null }>
}

/** The values that all parts of a text share, which do not change. */
export const TextContext = createContext<TextSetting>({ keepsLines: true, Element: () => null })

export const ReferencesContext = createContext(new References())

/** The numbers of notes, by label. */
export const NotesContext = createContext<ReadonlyMap<string, number>>(new Map())
