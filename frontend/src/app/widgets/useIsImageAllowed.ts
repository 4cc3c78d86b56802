import { useChat } from '../context'
import { isImageAllowed } from '../markdown/images'
import { useStore } from '../store'

/** Return whether this thread may load an image. */
export function useIsImageAllowed(src: string): boolean {
  const domains = useStore(useChat().state, (state) => state.thread.thread?.allowed_image_domains)
  return src !== '' && isImageAllowed(src, domains ?? [], parent.location.origin)
}
