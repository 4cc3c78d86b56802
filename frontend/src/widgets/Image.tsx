import { useState, type CSSProperties } from 'react'

import { useText } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { hostOf } from '../markdown/sources'
import { blockStyle } from './boxStyle'
import type { ComponentProps } from './Component'
import { isTrue, oneOf, textOf } from './values'
import { useMayLoadImage } from './useMayLoadImage'

const FITS = ['cover', 'contain', 'fill', 'scale-down', 'none'] as const
const POSITIONS = [
  'top left',
  'top',
  'top right',
  'left',
  'center',
  'right',
  'bottom left',
  'bottom',
  'bottom right',
] as const

export function Image({ widget }: ComponentProps) {
  const text = useText()
  const [failed, setFailed] = useState<string | null>(null)
  const src = textOf(widget['src'])
  const alt = textOf(widget['alt'])
  const isAllowed = useMayLoadImage(src)
  const classes = ['widget-image']
  if (isTrue(widget['frame'])) classes.push('framed')
  if (isTrue(widget['flush'])) classes.push('flush')
  const style: CSSProperties = {
    ...blockStyle(widget),
    objectFit: oneOf(widget['fit'], FITS, 'cover'),
    objectPosition: oneOf(widget['position'], POSITIONS, 'center'),
  }
  if (isAllowed && failed !== src) {
    return (
      <img
        className={classes.join(' ')}
        style={style}
        src={src}
        alt={alt}
        loading="lazy"
        referrerPolicy="no-referrer"
        draggable={false}
        onError={() => setFailed(src)}
      />
    )
  }
  const name = alt || hostOf(src) || text('image')
  const reason = isAllowed ? text('imageFailed') : text('imageHidden', { name })
  return (
    <div
      className={`${classes.join(' ')} missing`}
      style={style}
      role="img"
      aria-label={`${alt} ${reason}`}
    >
      <NamedIcon name="square-image" />
      <span className="widget-image-reason" aria-hidden="true">
        {reason}
      </span>
    </div>
  )
}
