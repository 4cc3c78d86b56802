import type { GeneratedImageItem } from '../protocol/types'
import { useText } from '../ui/context'
import { LargeImage } from './LargeImage'
import { useMayLoadImage } from '../widgets/useMayLoadImage'

interface PictureProps {
  item: GeneratedImageItem
  isOpen: boolean
  /** The progress, from 0 to 1; `null` if it is not known. */
  progress: number | null
}

/** A generated image, which may still be in progress. */
export function Picture({ item, isOpen, progress }: PictureProps) {
  const text = useText()
  const { image } = item
  const isAllowed = useMayLoadImage(image?.url ?? '')
  if (image && !isAllowed) {
    return <p className="caption">{text('imageHidden', { name: text('generatedImage') })}</p>
  }
  if (!isOpen) return <LargeImage url={image?.url ?? ''} name={text('generatedImage')} />
  return (
    <div className="drawing" aria-busy>
      {image ? (
        <img
          className="image"
          src={image.url}
          alt={text('generatedImage')}
          referrerPolicy="no-referrer"
        />
      ) : (
        <div className="image-waiting" />
      )}
      <p className="caption waiting">{text('drawing')}</p>
      {progress !== null && progress > 0 && (
        <progress aria-label={text('drawing')} value={Math.min(progress, 1)} />
      )}
    </div>
  )
}
