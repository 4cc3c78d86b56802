import { useCallback, useState } from 'react'

import type { ThreadMetadata } from '../protocol/types'
import { useChat, useText } from '../ui/context'
import type { EditThread } from './useThreadList'

export interface RowActions {
  rename: (thread: ThreadMetadata, title: string) => Promise<void>
  remove: (thread: ThreadMetadata) => Promise<void>
  /** Why the last rename or deletion failed. */
  failure: string | null
}

/**
 * Rename and delete threads.
 *
 * A new title shows at once, and the old one again if the server refuses it.
 */
export function useRowActions(edit: EditThread, onRemoved: () => void): RowActions {
  const chat = useChat()
  const text = useText()
  const [failure, setFailure] = useState<string | null>(null)
  const rename = useCallback(
    async ({ id, title: before }: ThreadMetadata, title: string): Promise<void> => {
      setFailure(null)
      edit(id, (thread) => ({ ...thread, title }))
      try {
        await chat.renameThread(id, title)
      } catch {
        edit(id, (thread) => ({ ...thread, title: before ?? null }))
        setFailure(text('notRenamed'))
      }
    },
    [chat, text, edit],
  )
  const remove = useCallback(
    async ({ id }: ThreadMetadata): Promise<void> => {
      setFailure(null)
      try {
        await chat.deleteThread(id)
        edit(id, () => null)
        onRemoved()
      } catch {
        setFailure(text('notDeleted'))
      }
    },
    [chat, text, edit, onRemoved],
  )
  return { rename, remove, failure }
}
