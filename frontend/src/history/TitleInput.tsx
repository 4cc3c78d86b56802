import type { KeyboardEvent } from 'react'

import { useText } from '../ui/context'
import { isOfInputMethod } from '../ui/isOfInputMethod'

interface TitleInputProps {
  title: string
  /** Called with the new title, on Enter or when the focus leaves. */
  onDone: (title: string) => void
  onCancel: () => void
}

/** A field for a thread's title, in the place of the title. */
export function TitleInput({ title, onDone, onCancel }: TitleInputProps) {
  const text = useText()
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (isOfInputMethod(event.nativeEvent)) return
    if (event.key !== 'Enter' && event.key !== 'Escape') return
    // The key must not press the button that gets the focus next, nor close the list.
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Enter') {
      event.currentTarget.blur()
    } else {
      // With an empty title, losing the focus renames nothing.
      event.currentTarget.value = ''
      onCancel()
    }
  }
  return (
    <input
      className="field"
      aria-label={text('title')}
      defaultValue={title}
      // The server's limit.
      maxLength={1000}
      autoFocus
      onFocus={(event) => event.target.select()}
      onBlur={(event) => onDone(event.target.value.trim())}
      onKeyDown={onKeyDown}
    />
  )
}
