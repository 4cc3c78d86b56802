import { Button } from '@openai/apps-sdk-ui/components/Button'
import { useState } from 'react'

import type { UserMessageInput, UserMessageItem } from '../../protocol/types'
import { useChat, useText } from '../context'

type Content = UserMessageInput['content']

interface EditMessageProps {
  item: UserMessageItem
  onDone: () => void
}

/** A message as it can be changed; sent, it is answered anew. */
export function EditMessage({ item, onDone }: EditMessageProps) {
  const chat = useChat()
  const text = useText()
  const [value, setValue] = useState(() => plainOf(item.content))
  const isEmpty = value.trim() === '' && (item.attachments ?? []).length === 0
  const send = (): void => {
    if (isEmpty) return
    onDone()
    void chat.edit(item, contentOf(value.trim(), item.content))
  }
  return (
    <form
      className="edit"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        className="field"
        dir="auto"
        aria-label={text('editedMessage')}
        value={value}
        autoFocus
        onFocus={(event) => event.target.setSelectionRange(value.length, value.length)}
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Escape') onDone()
          if (event.key !== 'Enter' || event.shiftKey) return
          event.preventDefault()
          send()
        }}
      />
      <div className="edit-actions">
        <Button color="secondary" variant="ghost" type="button" onClick={onDone}>
          {text('cancel')}
        </Button>
        <Button color="primary" type="submit" disabled={isEmpty}>
          {text('send')}
        </Button>
      </div>
    </form>
  )
}

function plainOf(content: Content): string {
  return content.map((part) => (part.type === 'input_tag' ? `@${part.text}` : part.text)).join('')
}

/** Return what a text says; a tag that is still there as it was written is still a tag. */
export function contentOf(text: string, before: Content): Content {
  const content: Content = []
  let rest = text
  for (const part of before) {
    if (part.type !== 'input_tag') continue
    const index = rest.indexOf(`@${part.text}`)
    if (index < 0) continue
    if (index > 0) content.push({ type: 'input_text', text: rest.slice(0, index) })
    content.push(part)
    rest = rest.slice(index + part.text.length + 1)
  }
  if (rest !== '' || content.length === 0) content.push({ type: 'input_text', text: rest })
  return content
}
