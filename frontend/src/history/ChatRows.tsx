import { HistoryRow, type RowProps } from './HistoryRow'
import type { Threads } from './useThreads'

type ChatRowsProps = Pick<Threads, 'groups' | 'rows'> & Pick<RowProps, 'onRename' | 'onDelete'>

/** The rows of chats: grouped by date, or in the order of the search results. */
export function ChatRows({ groups, rows, ...actions }: ChatRowsProps) {
  if (rows === null) {
    return groups.map(([day, group]) => (
      <section key={day} aria-label={day}>
        <h2 className="history-day">{day}</h2>
        <ul>
          {group.map((thread) => (
            <HistoryRow key={thread.id} thread={thread} {...actions} />
          ))}
        </ul>
      </section>
    ))
  }
  if (rows.length === 0) return null
  return (
    <ul>
      {rows.map(({ thread, snippet }) => (
        <HistoryRow key={thread.id} thread={thread} snippet={snippet} {...actions} />
      ))}
    </ul>
  )
}
