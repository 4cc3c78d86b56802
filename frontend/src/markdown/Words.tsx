import { Fragment, type ReactNode } from 'react'

/** How many marks one letter may have before a browser takes far too long to place them. */
const MANY_MARKS = /\p{M}{50}/u
const PARTS = /.*?\p{M}{50}|.+$/gsu

/** A text whose letters may have marks without end. */
export function words(text: string): ReactNode {
  if (!MANY_MARKS.test(text)) return text
  return text.match(PARTS)?.map((part, index) => (
    <Fragment key={index}>
      {part}
      <wbr />
    </Fragment>
  ))
}
