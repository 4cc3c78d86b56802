import { useEffect, useEffectEvent, useRef, useState, type RefObject } from 'react'

import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'

/** The distance from the oldest loaded item at which older ones are loaded. */
const AHEAD = '100%'

/** Loads older items as the user scrolls up. */
export function OlderItems({ scroller }: { scroller: RefObject<HTMLElement | null> }) {
  const chat = useChat()
  const text = useText()
  const older = useStore(chat.state, (state) => state.older)
  const element = useRef<HTMLDivElement>(null)
  const [hasFailed, setFailed] = useState(false)

  const load = async (): Promise<void> => {
    setFailed(false)
    await chat.loadOlder()
    setFailed(chat.state.get().older === older)
  }
  const onNear = useEffectEvent(() => void load())
  useEffect(() => {
    if (older === null || hasFailed || element.current === null) return undefined
    const options = { root: scroller.current, rootMargin: `${AHEAD} 0px 0px` }
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) onNear()
    }, options)
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [older, hasFailed, scroller])

  if (older === null) return null
  return (
    <div ref={element} className="older">
      {hasFailed ? (
        <button type="button" className="prompt" onClick={() => void load()}>
          {text('tryAgain')}
        </button>
      ) : (
        <span className="waiting">{text('loading')}</span>
      )}
    </div>
  )
}
