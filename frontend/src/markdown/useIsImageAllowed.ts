import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'
import { isImageAllowed } from './images'

/** Return whether an image whose URL a model chose may be loaded. */
export function useIsImageAllowed(src: string): boolean {
  const chat = useChat()
  const domains = useStore(chat.state, (state) => state.thread.thread?.allowed_image_domains)
  return isImageAllowed(src, domains ?? [], parent.location.origin)
}
