import type { WorkflowItem } from '../protocol/types'
import { useText } from '../ui/context'
import { Markdown } from '../markdown/Markdown'
import type { Say } from '../i18n/texts'
import { Queries } from './Queries'
import { Step, type StepStatus } from './Step'
import { TaskSources } from './TaskSources'

export type Task = WorkflowItem['workflow']['tasks'][number]

/** The icon with which the server marks a failed step. */
const FAILED = 'lucide:circle-x'

interface TaskViewProps {
  task: Task
  /** Whether the task's turn is running; a task of a finished turn never shows as running. */
  isLive: boolean
}

/** One step of the agent's work. */
export function TaskView({ task, isLive }: TaskViewProps) {
  const text = useText()
  const content = task.type === 'custom' || task.type === 'thought' ? task.content : null
  return (
    <Step
      title={isNamedByFile(task) ? '' : titleOf(task, text)}
      status={statusOf(task, isLive)}
      icon={iconOf(task)}
    >
      {content && (
        <div className="step-content">
          <Markdown text={content} isOpen={isLive && task.status_indicator === 'loading'} />
        </div>
      )}
      {task.type === 'web_search' && <Queries task={task} />}
      {(task.type === 'web_search' || task.type === 'file') && (
        <TaskSources sources={task.sources ?? []} />
      )}
    </Step>
  )
}

/** Return the steps of an agent that show files. */
export function fileTasksOf({ workflow }: WorkflowItem): Task[] {
  return workflow.tasks.filter(({ type }) => type === 'file')
}

export function titleOf(task: Task, text: Say): string {
  if (task.title) return task.title
  if (task.type === 'web_search') return text('search')
  if (task.type === 'image') return text('image')
  return ''
}

/** Return whether a task shows nothing but a file. */
function isNamedByFile(task: Task): boolean {
  const [file, ...others] = (task.type === 'file' && task.sources) || []
  return file !== undefined && others.length === 0 && file.title === task.title
}

function statusOf(task: Task, isLive: boolean): StepStatus {
  if (task.type === 'custom' && task.icon === FAILED) return 'failed'
  if (task.status_indicator === 'complete') return 'done'
  return task.status_indicator === 'loading' && isLive ? 'running' : null
}

function iconOf(task: Task): string | null {
  switch (task.type) {
    case 'custom':
      return task.icon ?? null
    case 'web_search':
      return 'globe'
    case 'file':
      return 'document'
    case 'image':
      return 'square-image'
    default:
      return null
  }
}
