import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'
import { isImageAllowed } from './images'

/** Return whether an image that a model names may be loaded. */
export function useIsImageAllowed(src: string): boolean {
  const chat = useChat()
  const domains = useStore(chat.state, (state) => state.thread.thread?.allowed_image_domains)
  return isImageAllowed(src, domains ?? [], parent.location.origin)
}
