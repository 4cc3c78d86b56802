import { createContext } from 'react'

import type { Source } from './sources'

/** The sources of the message around a mark. */
export const SourcesContext = createContext<readonly Source[]>([])
