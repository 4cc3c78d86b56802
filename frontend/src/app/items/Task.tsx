import type { WorkflowItem } from '../../protocol/types'
import { useText } from '../context'
import { CheckIcon, FailedIcon } from '../icons'
import { Markdown } from '../markdown/Markdown'

type Task = WorkflowItem['workflow']['tasks'][number]

/** One thing that the agent does. */
export function TaskView({ task }: { task: Task }) {
  const text = useText()
  const title = 'title' in task ? task.title : null
  const content = 'content' in task ? task.content : null
  return (
    <div>
      {(title || task.type === 'web_search') && (
        <div className="task-title">
          <span className={task.status_indicator === 'loading' ? 'waiting' : ''}>
            {title || text('search')}
          </span>
          <Status task={task} />
        </div>
      )}
      {content && (
        <div className="task-content">
          <Markdown text={content} />
        </div>
      )}
      {task.type === 'web_search' && (task.queries ?? []).length > 0 && (
        <div className="task-content">{task.queries?.join(' · ')}</div>
      )}
      {(task.type === 'web_search' || task.type === 'file') && (task.sources ?? []).length > 0 && (
        <ul className="sources">
          {task.sources?.map((source, index) => (
            <li key={index}>
              {source.type === 'url' && /^https?:/i.test(source.url) ? (
                <a className="source" href={source.url} target="_blank" rel="noopener noreferrer">
                  {source.title}
                </a>
              ) : (
                <span className="source">{source.title}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Status({ task }: { task: Task }) {
  const text = useText()
  if (task.status_indicator === 'complete') return <CheckIcon aria-label={text('done')} />
  if ('icon' in task && task.icon === 'lucide:circle-x') return <FailedIcon aria-label={text('stepFailed')} />
  return null
}
