import type { Attachment } from '../protocol/types'
import type { Content } from '../chat/content'
import { MessageContent } from '../items/MessageContent'

interface OutgoingMessageProps {
  content: Content
  attachments: readonly Attachment[]
}

/** The content of a message that the server has not confirmed yet. */
export function OutgoingMessage({ content, attachments }: OutgoingMessageProps) {
  return (
    <>
      {content.length > 0 && <MessageContent content={content} />}
      {attachments.map((attachment) => (
        <div key={attachment.id} className="file">
          <span>{attachment.name}</span>
        </div>
      ))}
    </>
  )
}
