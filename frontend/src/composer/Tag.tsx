import { useChat } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { useStore } from '../ui/useStore'
import { entityOf, type TagPart } from '../chat/content'
import { Previewable } from '../ui/Previewable'

/** A tag within a text: a click tells the app, and who rests on it sees a preview. */
export function Tag({ tag }: { tag: TagPart }) {
  const chat = useChat()
  const onClick = useStore(chat.state, ({ options }) => options?.entities?.onClick)
  const onRequestPreview = useStore(
    chat.state,
    ({ options }) => options?.entities?.onRequestPreview,
  )
  const face = (
    <>
      {tag.icon === undefined ? '@' : <NamedIcon name={tag.icon} />}
      {tag.text}
    </>
  )
  if (tag.interactive !== true || (!onClick && !onRequestPreview)) {
    return <span className="tag">{face}</span>
  }
  return (
    <Previewable entity={entityOf(tag)}>
      <button
        type="button"
        className="tag"
        // A click leaves the focus where one writes.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => onClick?.(entityOf(tag))}
      >
        {face}
      </button>
    </Previewable>
  )
}
