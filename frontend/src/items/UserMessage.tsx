import type { Attachment, UserMessageItem } from '../protocol/types'
import { textOf } from '../chat/content'
import { mayEdit } from '../chat/session'
import { useChat, useText } from '../ui/context'
import { FileName } from '../ui/FileName'
import { IconButton } from '../ui/IconButton'
import { MessageTime } from '../ui/MessageTime'
import { RenameIcon } from '../ui/icons'
import { useStore } from '../ui/useStore'
import { CopyButton } from '../ui/CopyButton'
import { EditMessage } from './EditMessage'
import { LargeImage } from './LargeImage'
import { MessageContent } from './MessageContent'
import { useEntry } from './useEntry'

export function UserMessage({ item }: { item: UserMessageItem }) {
  const chat = useChat()
  const text = useText()
  const canEdit = useStore(chat.state, mayEdit)
  const entry = useEntry(item)
  const edit = entry?.isSent ? undefined : entry?.edit
  const written = textOf(item.content)
  return (
    <div className="user">
      <h2 className="visually-hidden">{text('you')}</h2>
      {item.quoted_text && <blockquote className="quote">{item.quoted_text}</blockquote>}
      {(item.attachments ?? []).map((attachment) => (
        <SentFile key={attachment.id} attachment={attachment} />
      ))}
      {edit === undefined ? (
        written !== '' && <MessageContent content={item.content} />
      ) : (
        <EditMessage item={item} content={edit} />
      )}
      {edit === undefined && (
        <div className="actions">
          <MessageTime at={item.created_at} />
          {written !== '' && <CopyButton textOf={() => written} />}
          {canEdit && (
            <IconButton small label={text('edit')} onClick={() => chat.startEditing(item)}>
              <RenameIcon />
            </IconButton>
          )}
        </div>
      )}
    </div>
  )
}

function SentFile({ attachment }: { attachment: Attachment }) {
  if (attachment.type === 'image') {
    const { name, preview_url: url } = attachment
    return <LargeImage className="thumbnail large" url={String(url)} name={name} />
  }
  return (
    <div className="file">
      <FileName name={attachment.name} />
    </div>
  )
}
