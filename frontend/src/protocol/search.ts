/** `threads.search`, which other ChatKit servers do not have. */

import type { ThreadMetadata } from './types'

export interface SearchRequest {
  type: 'threads.search'
  params: { query: string; limit: number; after: string | null }
}

export interface FoundThread {
  thread: ThreadMetadata
  /** The newest message that contains the words; `null` if only the title does. */
  item_id: string | null
  /** An excerpt of the message, split where matches start and end. */
  snippet: { text: string; is_match: boolean }[]
}

export interface FoundPage {
  data: FoundThread[]
  has_more: boolean
  after?: string | null
}
