import { useChat } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { Store } from '../chat/store'
import { useStore } from '../ui/useStore'
import { entityOf, type TagPart } from './content'

type Previewed = (typeof import('./Previewed'))['default']

/** What shows previews, once it is loaded. A tag that waited for it would lose clicks and focus. */
const previews = new Store<{ Previewed: Previewed | null }>({ Previewed: null })

/** Load what shows previews before somebody rests on a tag. */
export async function preloadPreviews(): Promise<void> {
  try {
    previews.set({ Previewed: (await import('./Previewed')).default })
  } catch (error) {
    console.warn('There are no previews.', error)
  }
}

/** A tag within a text: a click tells the app, and who rests on it sees a preview. */
export function Tag({ tag }: { tag: TagPart }) {
  const chat = useChat()
  const Previewed = useStore(previews, (state) => state.Previewed)
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
  const button = (
    <button type="button" className="tag" onClick={() => onClick?.(entityOf(tag))}>
      {face}
    </button>
  )
  if (!onRequestPreview || Previewed === null) return button
  return (
    <Previewed entity={entityOf(tag)} onRequestPreview={onRequestPreview}>
      {button}
    </Previewed>
  )
}
