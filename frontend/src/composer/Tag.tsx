import { useChat } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { useStore } from '../ui/useStore'
import { entityOf, type TagPart } from '../chat/content'
import { Previewable } from '../ui/Previewable'

/** A tag in a text: a click notifies the app, and hovering shows a preview. */
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
        // A click leaves the focus in the editor.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => onClick?.(entityOf(tag))}
      >
        {face}
      </button>
    </Previewable>
  )
}
