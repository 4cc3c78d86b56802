import type { CSSProperties } from 'react'

import type { Widget } from '../protocol/types'
import { useLocale } from '../ui/context'
import { defined, lengthOf } from './boxStyle'
import { colorOf, TEXT } from './widgetColors'
import { isTrue, numberOf, oneOf, textOf } from './values'

const WEIGHTS = { normal: 400, medium: 500, semibold: 600, bold: 700 } as const

/** The prefix of the key of a text that ends with a time. */
const TIME = 'time:'

/** The time as the server writes it for clients that do not know the key. */
const WRITTEN_TIME = /\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC$/

/** A verbatim text with more characters than this can be scrolled by keyboard. */
const LONG = 400

interface TextLineProps {
  as: 'p' | 'h2'
  kind: 'text' | 'title' | 'caption'
  sizes: readonly string[]
  widget: Widget
}

/** A line of text: the common part of texts, titles and captions. */
export function TextLine({ as, kind, sizes, widget }: TextLineProps) {
  const size = oneOf(widget['size'], sizes, 'md')
  const value = textOf(widget['value'])
  // Screen readers would announce an empty heading.
  const Tag = value === '' ? 'p' : as
  const key = widget.key ?? ''
  // An argument of a call that the user approves: shown in full, like code, in a box that scrolls.
  const isVerbatim = key === 'verbatim'
  const at = key.startsWith(TIME) ? new Date(key.slice(TIME.length)) : null
  return (
    <Tag
      className={`widget-${kind}`}
      data-verbatim={isVerbatim || undefined}
      // A focusable box can be scrolled by keyboard.
      tabIndex={isVerbatim && value.length > LONG ? 0 : undefined}
      data-size={size}
      dir="auto"
      // Screen readers wait until the text is complete.
      aria-busy={isTrue(widget['streaming']) || undefined}
      style={textStyle(widget)}
    >
      {at === null || Number.isNaN(at.getTime()) ? (
        value
      ) : (
        <>
          {value.replace(WRITTEN_TIME, '')}
          <Time at={at} />
        </>
      )}
    </Tag>
  )
}

/** A time in the reader's time zone and language. */
function Time({ at }: { at: Date }) {
  const locale = useLocale()
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' })
  return <time dateTime={at.toISOString()}>{format.format(at)}</time>
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
