/** What can wait is done one after the other, so that what people do comes in between. */

const waiting = new Set<() => void>()
let isDue = false

/** Do something later; the function that is returned calls it off. */
export function later(task: () => void): () => void {
  waiting.add(task)
  schedule()
  return () => waiting.delete(task)
}

function schedule(): void {
  if (isDue) return
  isDue = true
  setTimeout(next)
}

function next(): void {
  isDue = false
  const [task] = waiting
  if (task === undefined) return
  waiting.delete(task)
  task()
  if (waiting.size > 0) schedule()
}
