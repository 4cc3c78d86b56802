import type { GeneratedImageItem } from '../../protocol/types'
import { useText } from '../context'

export function Picture({ item }: { item: GeneratedImageItem }) {
  const text = useText()
  if (!item.image) return <div className="image-waiting waiting" role="img" aria-label={text('drawing')} />
  return <img className="image" src={item.image.url} alt={text('generatedImage')} />
}
