import type { GeneratedImageItem } from '../../protocol/types'

export function Picture({ item }: { item: GeneratedImageItem }) {
  if (!item.image) return <div className="image-waiting waiting" role="img" aria-label="Drawing" />
  return <img className="image" src={item.image.url} alt="Generated" />
}
