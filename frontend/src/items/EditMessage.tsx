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
  const begun = useStore(chat.state, ({ editing }) => editing?.content ?? item.content)
  const [content, setContent] = useState<Content>(begun)
  // Another page may have requested an answer meanwhile.
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const later = useStore(chat.state, ({ thread }) => {
    const index = thread.items.findLastIndex((each) => each.id === item.id)
    return thread.items.slice(index + 1).filter(isQuestion).length
  })
  const isEmpty = (written: Content): boolean =>
    isBlank(written) && (item.attachments ?? []).length === 0
  const send = (written: Content): void => {
    if (isEmpty(written) || isResponding) return
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
        // If the message comes back, the user may be writing elsewhere.
        autoFocus={begun === item.content}
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
        <Button color="primary" type="submit" disabled={isEmpty(content) || isResponding}>
          {text('send')}
        </Button>
      </div>
    </form>
  )
}
