/** Finds options by typed text and by arrow keys. */

import type { Option } from './values'

/** Return the options that contain the query, ignoring case. */
export function found(options: readonly Option[], query: string): readonly Option[] {
  const wanted = query.trim().toLocaleLowerCase()
  if (wanted === '') return options
  return options.filter(({ label, description }) =>
    `${label}\n${description}`.toLocaleLowerCase().includes(wanted),
  )
}

/** Return the index of the first option that can be chosen, or -1. */
export function firstOf(options: readonly Option[]): number {
  return options.findIndex((option) => !option.isDisabled)
}

/** Return the index of the next option that can be chosen; without one, the same index. */
export function nextOf(options: readonly Option[], from: number, step: 1 | -1): number {
  for (let index = from + step; index >= 0 && index < options.length; index += step) {
    if (!options[index]?.isDisabled) return index
  }
  return from in options && !options[from]?.isDisabled ? from : firstOf(options)
}

/** Return the index of the next option that starts with some letters, or -1. */
export function startingWith(options: readonly Option[], letters: string, from: number): number {
  const wanted = letters.toLocaleLowerCase()
  // Repeating a letter cycles through the options that start with it.
  const isSame = [...wanted].every((letter) => letter === wanted[0])
  const start = isSame ? (wanted[0] ?? '') : wanted
  const order = options.map(
    (_, index) => (from + (isSame ? 1 : 0) + index + options.length) % options.length,
  )
  return (
    order.find((index) => {
      const option = options[index]
      return option && !option.isDisabled && option.label.toLocaleLowerCase().startsWith(start)
    }) ?? -1
  )
}
