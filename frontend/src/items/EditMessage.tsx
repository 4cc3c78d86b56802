import { Button } from '@openai/apps-sdk-ui/components/Button'
import { useState } from 'react'

import type { UserMessageItem } from '../protocol/types'
import { isBlank, sendable, type Content } from '../chat/content'
import { Editor } from '../composer/Editor'
import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { isQuestion } from './turn'

interface EditMessageProps {
  item: UserMessageItem
  onDone: () => void
}

/** An editor for a sent message; the changed message gets a new answer. */
export function EditMessage({ item, onDone }: EditMessageProps) {
  const chat = useChat()
  const text = useText()
  const [content, setContent] = useState<Content>(item.content)
  const later = useStore(chat.state, ({ thread }) => {
    const index = thread.items.findLastIndex((each) => each.id === item.id)
    return thread.items.slice(index + 1).filter(isQuestion).length
  })
  const isEmpty = (written: Content): boolean =>
    isBlank(written) && (item.attachments ?? []).length === 0
  const send = (written: Content): void => {
    if (isEmpty(written)) return
    onDone()
    void chat.edit(item, sendable(written))
  }
  return (
    <form
      className="edit"
      onSubmit={(event) => {
        event.preventDefault()
        send(content)
      }}
    >
      <Editor
        label={text('editedMessage')}
        content={content}
        onChange={setContent}
        onSend={send}
        onEscape={onDone}
        autoFocus
      />
      {later > 0 && (
        <p className="caption" role="status">
          {text('laterRemoved', { count: later })}
        </p>
      )}
      <div className="edit-actions">
        <Button color="secondary" variant="ghost" type="button" onClick={onDone}>
          {text('cancel')}
        </Button>
        <Button color="primary" type="submit" disabled={isEmpty(content)}>
          {text('send')}
        </Button>
      </div>
    </form>
  )
}
