import type { UserMessageItem } from '../../protocol/types'
import { CopyButton } from './CopyButton'

export function UserMessage({ item }: { item: UserMessageItem }) {
  const text = item.content.map((part) => part.text).join('')
  return (
    <div className="user">
      {item.quoted_text && <div className="quote">{item.quoted_text}</div>}
      {(item.attachments ?? []).map((attachment) =>
        attachment.type === 'image' ? (
          <img
            key={attachment.id}
            className="thumbnail large"
            src={String(attachment.preview_url)}
            alt={attachment.name}
          />
        ) : (
          <div key={attachment.id} className="file">
            <span>{attachment.name}</span>
          </div>
        ),
      )}
      {text !== '' && (
        <div className="bubble">
          {item.content.map((part, index) =>
            part.type === 'input_tag' ? (
              <span key={index} className="tag">
                @{part.text}
              </span>
            ) : (
              part.text
            ),
          )}
        </div>
      )}
      <div className="actions">
        <CopyButton text={text} />
      </div>
    </div>
  )
}
