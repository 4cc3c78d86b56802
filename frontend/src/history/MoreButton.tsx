import { useEffect, useEffectEvent, useRef } from 'react'

import { useText } from '../ui/context'

/** Loads more when it is scrolled into view, or pressed. */
export function MoreButton({ onMore }: { onMore: () => void }) {
  const text = useText()
  const button = useRef<HTMLButtonElement>(null)
  const onVisible = useEffectEvent(onMore)
  useEffect(() => {
    if (button.current === null) return undefined
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) onVisible()
    })
    observer.observe(button.current)
    return () => observer.disconnect()
  }, [])
  return (
    <button ref={button} type="button" className="prompt" onClick={onMore}>
      {text('more')}
    </button>
  )
}
