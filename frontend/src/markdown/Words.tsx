import { Fragment, type ReactNode } from 'react'

/** Many combining marks, words without end, and long runs of punctuation take too long to place. */
const LONG = /\p{M}{50}|\S{300}|[^\p{L}\p{N}]{300}/u
const PARTS = /.*?(?:\p{M}{50}|\S{100}|[^\p{L}\p{N}]{100})|.+$/gsu

const MANY_MARKS = /\p{M}{50}/u
const MARKED_PARTS = /.*?\p{M}{50}|.+$/gsu

/** Return text that the browser may break within overlong words. */
export function words(text: string): ReactNode {
  return LONG.test(text) ? broken(text, PARTS) : text
}

/** Return code, whose lines do not break, that the browser may break between combining marks. */
export function codeWords(text: string): ReactNode {
  return MANY_MARKS.test(text) ? broken(text, MARKED_PARTS) : text
}

function broken(text: string, parts: RegExp): ReactNode {
  return text.match(parts)?.map((part, index) => (
    <Fragment key={index}>
      {part}
      <wbr />
    </Fragment>
  ))
}
