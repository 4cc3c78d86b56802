/** Marks in a text that lead to its sources. */

import { partsOf } from './code'

export interface Mark {
  /** Where the cited text ends. */
  index: number
  /** The number of the source. */
  number: number
}

/** What a mark must not cut: links and images, bare addresses, tags and math. */
const WHOLE = /!?\[[^\]\n]*\]\([^)\n]*\)|\bhttps?:\/\/[^\s<>)]+|<[^>\n]+>|\$\$[\s\S]+?\$\$/g

/**
 * Return a text with its marks as elements, each at the end of the word or the like that it is in.
 *
 * A mark in a block of code has no place, and is left to the list of sources.
 */
export function withMarks(text: string, marks: readonly Mark[]): string {
  if (marks.length === 0) return text
  const waiting = [...marks].sort((a, b) => a.index - b.index)
  let marked = ''
  let start = 0
  for (const part of partsOf(text)) {
    const end = start + part.text.length
    const here: Mark[] = []
    while (waiting[0] !== undefined && (waiting[0].index <= end || end === text.length)) {
      here.push(waiting.shift() as Mark)
    }
    if (!part.isCode) marked += withinText(part.text, here, start)
    else if (part.text.startsWith('```') || part.text.startsWith('~~~')) marked += part.text
    else marked += part.text + here.map(tagOf).join('')
    start = end
  }
  return marked
}

function withinText(text: string, marks: readonly Mark[], start: number): string {
  let marked = ''
  let done = 0
  for (const mark of marks) {
    const place = placeOf(text, Math.max(0, mark.index - start))
    if (place === null) continue
    const at = Math.max(place, done)
    marked += text.slice(done, at) + tagOf(mark)
    done = at
  }
  return marked + text.slice(done)
}

/** Return where in a text a mark may stand, at or after an index, or before the space there. */
function placeOf(text: string, index: number): number | null {
  for (const match of text.matchAll(WHOLE)) {
    const end = match.index + match[0].length
    if (match.index < index && index < end) return end
  }
  // A line does not begin with a mark: that would make another block of it.
  const before = text.slice(0, index).trimEnd()
  if (before.length < index || index >= text.length) return before === '' ? null : before.length
  const rest = /^[\p{L}\p{N}\p{M}'’*_~]+/u.exec(text.slice(index))
  return before === '' && rest === null ? null : index + (rest?.[0].length ?? 0)
}

function tagOf({ number }: Mark): string {
  return `<source-mark number="${number}"></source-mark>`
}
