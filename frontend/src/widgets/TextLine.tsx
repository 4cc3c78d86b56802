import type { CSSProperties } from 'react'

import type { Widget } from '../protocol/types'
import { defined, lengthOf } from './box'
import { colorOf, TEXT } from './colors'
import { isTrue, numberOf, oneOf, textOf } from './values'

const WEIGHTS = { normal: 400, medium: 500, semibold: 600, bold: 700 } as const

interface TextLineProps {
  as: 'p' | 'h2'
  kind: 'text' | 'title' | 'caption'
  sizes: readonly string[]
  widget: Widget
}

/** What texts, titles and captions have in common. */
export function TextLine({ as, kind, sizes, widget }: TextLineProps) {
  const size = oneOf(widget['size'], sizes, 'md')
  const value = textOf(widget['value'])
  // A heading that says nothing would be heard as one.
  const Tag = value === '' ? 'p' : as
  return (
    <Tag
      className={`widget-${kind}`}
      data-size={size}
      dir="auto"
      // Whoever has it read out hears it when it is whole.
      aria-busy={isTrue(widget['streaming']) || undefined}
      style={textStyle(widget)}
    >
      {value}
    </Tag>
  )
}

/** The look of a text. */
export function textStyle(widget: Widget): CSSProperties {
  const weight = oneOf(widget['weight'], Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[], null)
  const lines = isTrue(widget['truncate']) ? 1 : numberOf(widget['maxLines'])
  const minLines = numberOf(widget['minLines'])
  return defined({
    color: colorOf(widget['color'], TEXT),
    fontWeight: weight === null ? undefined : WEIGHTS[weight],
    fontStyle: isTrue(widget['italic']) ? 'italic' : undefined,
    textDecorationLine: isTrue(widget['lineThrough']) ? 'line-through' : undefined,
    textAlign: oneOf(widget['textAlign'], ['start', 'center', 'end'] as const, undefined),
    width: lengthOf(widget['width']),
    minHeight: minLines === null ? undefined : `${Math.min(100, Math.max(0, minLines))}lh`,
    ...(lines !== null &&
      lines >= 1 && {
        display: '-webkit-box',
        WebkitBoxOrient: 'vertical',
        WebkitLineClamp: Math.floor(lines),
        overflow: 'hidden',
      }),
  })
}
