/** Runs tasks that can wait one by one, so that user input is handled in between. */

const waiting = new Set<() => void>()
let isDue = false

/** Run a task later; the returned function cancels it. */
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
