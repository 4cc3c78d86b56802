import type { GeneratedImageItem } from '../../protocol/types'
import { useText } from '../context'
import { LargeImage } from './LargeImage'

export function Picture({ item }: { item: GeneratedImageItem }) {
  const text = useText()
  if (!item.image) return <div className="image-waiting waiting" role="img" aria-label={text('drawing')} />
  return <LargeImage className="image" url={item.image.url} name={text('generatedImage')} />
}
