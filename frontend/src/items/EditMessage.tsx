import { Button } from '@openai/apps-sdk-ui/components/Button'
import { useRef, useState } from 'react'

import type { UserMessageItem } from '../protocol/types'
import { isBlank, sendable, type Content } from '../chat/content'
import { Editor } from '../composer/Editor'
import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { isQuestion } from './turn'
import { useFocusAfter } from './useFocusAfter'

interface EditMessageProps {
  item: UserMessageItem
  content: Content
}

/** An editor for a sent message; the changed message gets a new answer. */
export function EditMessage({ item, content }: EditMessageProps) {
  const chat = useChat()
  const text = useText()
  const draft = useStore(chat.state, (state) => state.draft)
  const form = useRef<HTMLFormElement>(null)
  useFocusAfter(form)
  // If the edit was restored or could not be sent, the user may be writing elsewhere.
  const [takesFocus] = useState(content === item.content)
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
    void chat.edit(item, sendable(written))
  }
  const cancel = (): void => chat.stopEditing(item)
  return (
    <form
      ref={form}
      className="edit"
      onSubmit={(event) => {
        event.preventDefault()
        send(content)
      }}
    >
      <Editor
        label={text('editedMessage')}
        content={content}
        onChange={(edit) => draft.enter(item.id, { edit })}
        onSend={send}
        onEscape={cancel}
        autoFocus={takesFocus}
      />
      {later > 0 && (
        <p className="caption" role="status">
          {text('laterRemoved', { count: later })}
        </p>
      )}
      <div className="edit-actions">
        <Button color="secondary" variant="ghost" type="button" onClick={cancel}>
          {text('cancel')}
        </Button>
        <Button color="primary" type="submit" disabled={isEmpty(content) || isResponding}>
          {text('send')}
        </Button>
      </div>
    </form>
  )
}
