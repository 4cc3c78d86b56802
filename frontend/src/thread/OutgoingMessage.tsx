import type { Attachment } from '../protocol/types'
import type { Content } from '../chat/content'
import { Said } from '../items/Said'

interface OutgoingMessageProps {
  content: Content
  attachments: readonly Attachment[]
}

/** What a message says while the server does not have it yet. */
export function OutgoingMessage({ content, attachments }: OutgoingMessageProps) {
  return (
    <>
      {content.length > 0 && <Said content={content} />}
      {attachments.map((attachment) => (
        <div key={attachment.id} className="file">
          <span>{attachment.name}</span>
        </div>
      ))}
    </>
  )
}
