import { useEffect, useState } from 'react'

import { useChat, useText } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { useStore } from '../ui/useStore'

/** Milliseconds without new text after which to show that the answer continues. */
const PATIENCE = 600

/** Says what is happening while no text arrives. */
export function Activity() {
  const chat = useChat()
  const text = useText()
  const progress = useStore(chat.state, (state) => state.thread.progress)
  const isWriting = useStore(chat.state, (state) => state.thread.open.size > 0)
  const hasBegun = useStore(chat.state, ({ thread }) => {
    const last = thread.items.at(-1)
    return last !== undefined && last.type !== 'user_message'
  })
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (isWriting || !hasBegun) return undefined
    const timer = setTimeout(() => setLate(true), PATIENCE)
    return () => clearTimeout(timer)
  }, [isWriting, hasBegun])
  const isConnected = useStore(chat.state, (state) => state.isConnected)
  if (!isConnected) {
    return (
      <p className="activity" role="status">
        <span className="waiting">{text('reconnecting')}</span>
      </p>
    )
  }
  if (progress !== null) {
    return (
      <p className="activity">
        {progress.icon && <NamedIcon name={progress.icon} />}
        <span className="waiting" dir="auto">
          {progress.text}
        </span>
      </p>
    )
  }
  if (isWriting || (hasBegun && !isLate)) return null
  return (
    <p className="activity">
      <span className="waiting">{text('thinking')}</span>
    </p>
  )
}
