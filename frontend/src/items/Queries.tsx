import type { SearchTask } from '../protocol/types'
import { NamedIcon } from '../ui/icons/NamedIcon'

/** The queries of a search. */
export function Queries({ task }: { task: SearchTask }) {
  const queries = new Set([
    ...(task.title_query ? [task.title_query] : []),
    ...(task.queries ?? []),
  ])
  if (queries.size === 0) return null
  return (
    <ul className="queries">
      {[...queries].map((query) => (
        <li key={query} dir="auto">
          <NamedIcon name="search" />
          {query}
        </li>
      ))}
    </ul>
  )
}
