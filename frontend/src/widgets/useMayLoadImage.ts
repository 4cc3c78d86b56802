import { useStore } from '../ui/useStore'
import { isImageAllowed } from '../markdown/images'
import { useChat } from '../ui/context'

/** Return whether the page may load an image whose URL an app or a service chose, not a model. */
export function useMayLoadImage(src: string): boolean {
  const images = useStore(useChat().state, ({ options }) => options?.widgets?.images)
  return isImageAllowed(src, images === 'self' ? [] : null, parent.location.origin)
}
