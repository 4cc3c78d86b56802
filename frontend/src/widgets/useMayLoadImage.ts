import { useStore } from '../ui/useStore'
import { isImageAllowed } from '../markdown/images'
import { useChat } from '../ui/context'

/** Return whether an image that an app or a service names, rather than a model, may be loaded. */
export function useMayLoadImage(src: string): boolean {
  const images = useStore(useChat().state, ({ options }) => options?.widgets?.images)
  return isImageAllowed(src, images === 'self' ? [] : null, parent.location.origin)
}
