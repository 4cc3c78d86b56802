import { createContext } from 'react'

import type { Source } from './sources'

/** What the message around a mark cites. */
export const SourcesContext = createContext<readonly Source[]>([])
