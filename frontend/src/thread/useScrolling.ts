import { useLayoutEffect, useRef, useState, type RefObject } from 'react'

import { useStore } from '../ui/useStore'
import { useChat } from '../ui/context'
import { Scrolling } from './scrolling'

/** Scroll a thread when it opens, when messages are sent, and while answers are written. */
export function useScrolling(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
): { isAway: boolean; goToEnd: () => void } {
  const chat = useChat()
  const autoScroll = useStore(chat.state, (state) => state.options?.thread?.autoScroll ?? false)
  const threadId = useStore(chat.state, (state) => state.threadId)
  const isLoading = useStore(chat.state, (state) => state.isLoading)
  const isSending = useStore(chat.state, (state) => state.sending !== null)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const lastId = useStore(chat.state, (state) => state.thread.items.at(-1)?.id)
  const isReturned = useStore(
    chat.state,
    ({ draft, thread }) => thread.error !== null && draft.state.get().returned !== null,
  )
  const scrolling = useRef<Scrolling>(null)
  const before = useRef({ threadId, isLoading, isSending, isReturned, lastId })
  const [isAway, setAway] = useState(false)

  useLayoutEffect(() => {
    if (scroller.current === null || content.current === null) return undefined
    const made = new Scrolling(scroller.current, content.current, setAway)
    scrolling.current = made
    return () => made.stop()
  }, [scroller, content])

  useLayoutEffect(() => {
    const { current } = scrolling
    if (current !== null) Object.assign(current, { autoScroll, isWriting: isResponding })
  }, [autoScroll, isResponding])

  useLayoutEffect(() => {
    const { current } = scrolling
    const was = before.current
    before.current = { threadId, isLoading, isSending, isReturned, lastId }
    // A new thread gets its ID while its first message is sent.
    const isOpened =
      (threadId !== was.threadId && was.threadId !== null) || isLoading !== was.isLoading
    if (isSending && !was.isSending) current?.showMessage()
    else if (isOpened) current?.showEnd()
    // The message is back in the composer, and the thread says why.
    else if (isReturned && !was.isReturned) current?.showEnd()
    else if (isResponding || lastId !== was.lastId) current?.write()
  })

  useLayoutEffect(() => {
    if (before.current.isSending) scrolling.current?.showMessage()
    else scrolling.current?.showEnd()
  }, [])

  const goToEnd = (): void => {
    scrolling.current?.showEnd()
    scroller.current?.focus({ preventScroll: true })
  }
  return { isAway, goToEnd }
}
