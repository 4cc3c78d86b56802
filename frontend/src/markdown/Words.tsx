import { Fragment, type ReactNode } from 'react'

/** A letter with so many combining marks that browsers take far too long to place them. */
const MANY_MARKS = /\p{M}{50}/u
const PARTS = /.*?\p{M}{50}|.+$/gsu

/** Return text with breaks between the combining marks of letters that have too many. */
export function words(text: string): ReactNode {
  if (!MANY_MARKS.test(text)) return text
  return text.match(PARTS)?.map((part, index) => (
    <Fragment key={index}>
      {part}
      <wbr />
    </Fragment>
  ))
}
