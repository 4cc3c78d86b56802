/** What can wait is done one after the other, so that what people do comes in between. */

const waiting = new Set<() => void>()
let timer: ReturnType<typeof setTimeout> | undefined

/** Do something later; the function that is returned calls it off. */
export function later(task: () => void): () => void {
  waiting.add(task)
  timer ??= setTimeout(next)
  return () => waiting.delete(task)
}

function next(): void {
  timer = undefined
  const [task] = waiting
  if (task === undefined) return
  waiting.delete(task)
  task()
  if (waiting.size > 0) timer ??= setTimeout(next)
}
