import type { Entry } from '../chat/entered'
import type { ThreadItem } from '../protocol/types'
import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'

/** Return what the user entered into an item and has not sent. */
export function useEntry(item: ThreadItem): Entry | undefined {
  const draft = useStore(useChat().state, (state) => state.draft)
  return useStore(draft.state, ({ entered }) => entered[item.id])
}
