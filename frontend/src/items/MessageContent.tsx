import type { Content } from '../chat/content'
import { Tag } from '../composer/Tag'

/** The content of a user message, with its tags. */
export function MessageContent({ content }: { content: Content }) {
  return (
    <div className="bubble" dir="auto">
      {content.map((part, index) =>
        part.type === 'input_tag' ? <Tag key={index} tag={part} /> : part.text,
      )}
    </div>
  )
}
