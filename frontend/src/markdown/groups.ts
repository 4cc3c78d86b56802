/** Long lists are rendered in groups, so that a change costs no more than its group. */

/** Group entries: at most `count` per group, and at most `size` unless one entry is larger. */
export function grouped<T>(
  all: readonly T[],
  count: number,
  size = Infinity,
  sizeOf: (each: T) => number = () => 0,
): T[][] {
  const groups: T[][] = []
  let left = 0
  for (const each of all) {
    left -= sizeOf(each)
    const group = groups.at(-1)
    if (group === undefined || group.length === count || left < 0) {
      groups.push([each])
      left = size - sizeOf(each)
    } else group.push(each)
  }
  return groups
}

/** Return whether two groups have the same properties; lists are compared by their entries. */
export function isSameGroup<Props extends object>(before: Props, now: Props): boolean {
  return Object.entries(now).every(([name, value]) => isSame(before[name as keyof Props], value))
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return a.length === b.length && a.every((each, index) => each === b[index])
}
