import { createContext, type ComponentType } from 'react'

import type { Node } from './grammar/node'

export interface TextSetting {
  /** Whether line breaks in the source are kept. */
  keepsLines: boolean
  /** Renders HTML elements; in the context because elements and blocks may contain each other. */
  Element: ComponentType<{ node: Node; parent: string | null }>
}

/** The values that all parts of a text share, which do not change. */
export const TextContext = createContext<TextSetting>({ keepsLines: true, Element: () => null })
