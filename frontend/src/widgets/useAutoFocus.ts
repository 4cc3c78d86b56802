import { useEffect, type RefObject } from 'react'

import { isBlank } from '../chat/content'
import { useChat } from '../ui/context'

/** Focus a control that arrives with an answer, unless the user is writing elsewhere. */
export function useAutoFocus(control: RefObject<HTMLElement | null>, isWanted: boolean): void {
  const chat = useChat()
  useEffect(() => {
    const { isResponding, draft } = chat.state.get()
    const isWriting = !isBlank(draft.state.get().content)
    const isInWidget = document.activeElement?.closest('.widget') != null
    if (!isWanted || !isResponding || isWriting || isInWidget || !document.hasFocus()) return
    control.current?.focus({ preventScroll: true })
  }, [chat, control, isWanted])
}
