import { useEffect, useState } from 'react'

import { useChat, useText } from '../ui/context'
import { QuoteIcon } from '../ui/icons'

interface Selected {
  text: string
  top: number
  left: number
}

/** Offers to quote the text that is selected in an answer. */
export function QuoteButton() {
  const chat = useChat()
  const text = useText()
  const [selected, setSelected] = useState<Selected | null>(null)

  useEffect(() => {
    const look = (): void => setSelected(selectedAnswer())
    // The button would be in the way while the user is selecting.
    const onChange = (): void => {
      if (document.getSelection()?.isCollapsed !== false) setSelected(null)
    }
    document.addEventListener('selectionchange', onChange)
    document.addEventListener('pointerup', look)
    document.addEventListener('keyup', look)
    document.addEventListener('scroll', look, true)
    return () => {
      document.removeEventListener('selectionchange', onChange)
      document.removeEventListener('pointerup', look)
      document.removeEventListener('keyup', look)
      document.removeEventListener('scroll', look, true)
    }
  }, [])

  if (selected === null) return null
  const quote = (): void => {
    chat.setDraft({ reply: selected.text })
    document.getSelection()?.removeAllRanges()
    chat.focus()
  }
  return (
    <button
      type="button"
      className="quote-button"
      style={{ top: selected.top, left: selected.left }}
      // Pressing must not clear the selection before the click.
      onPointerDown={(event) => event.preventDefault()}
      onClick={quote}
    >
      <QuoteIcon />
      {text('quote')}
    </button>
  )
}

/** Return the selected text, if it is in one answer, and a place for the button beside it. */
function selectedAnswer(): Selected | null {
  const selection = document.getSelection()
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return null
  const range = selection.getRangeAt(0)
  const common = range.commonAncestorContainer
  const element = common instanceof Element ? common : common.parentElement
  const text = selection.toString().trim()
  if (text === '' || !element?.closest('.assistant')) return null
  const { top, bottom, left, width } = range.getBoundingClientRect()
  return {
    text,
    top: top > 52 ? top - 40 : bottom + 8,
    left: Math.max(8, Math.min(left + width / 2 - 40, innerWidth - 120)),
  }
}
