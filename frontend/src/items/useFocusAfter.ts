import { useLayoutEffect, type RefObject } from 'react'

import { useChat } from '../ui/context'

/** Move the focus from a form to the composer when the form disappears. */
export function useFocusAfter(form: RefObject<HTMLFormElement | null>): void {
  const chat = useChat()
  useLayoutEffect(() => {
    const element = form.current
    return () => {
      // On a touch screen, the focus would open the keyboard.
      if (matchMedia('(pointer: coarse)').matches) return
      if (element?.contains(document.activeElement)) chat.focus()
    }
  }, [chat, form])
}
