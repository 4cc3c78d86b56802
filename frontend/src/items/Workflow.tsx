import { useState } from 'react'

import type { WorkflowItem } from '../protocol/types'
import { useLocale, useText } from '../ui/context'
import { UnfoldIcon } from '../ui/icons'
import { NamedIcon } from '../ui/icons/NamedIcon'
import type { Say } from '../i18n/texts'
import { durationIn } from './duration'
import { fileTasksOf, TaskView, titleOf as titleOfTask } from './Task'

/** The steps of the agent: open while it works, then folded into one line. Its files stay in view. */
export function WorkflowView({ item, isOpen }: { item: WorkflowItem; isOpen: boolean }) {
  const { workflow } = item
  const text = useText()
  const locale = useLocale()
  const [choice, setChoice] = useState<boolean | null>(null)
  const isUnfolded = choice ?? (isOpen || (workflow.expanded ?? false))

  const icon = workflow.summary && 'title' in workflow.summary ? workflow.summary.icon : null
  const title = (
    <>
      {icon && <NamedIcon name={icon} />}
      <span className={isOpen ? 'waiting' : ''} dir="auto">
        {titleOf(item, isOpen, text, locale)}
      </span>
    </>
  )
  const tasks = isUnfolded ? workflow.tasks : fileTasksOf(item)
  if (workflow.tasks.length === 0) return <div className="workflow-title">{title}</div>
  return (
    <div className="workflow">
      <button
        type="button"
        className="workflow-title"
        aria-expanded={isUnfolded}
        onClick={() => setChoice(!isUnfolded)}
      >
        {title}
        <UnfoldIcon className="workflow-fold" aria-hidden />
      </button>
      {tasks.length > 0 && (
        // Steps that contain the focus stay open when the work is done.
        <ul className="tasks" onFocus={() => setChoice(isUnfolded)}>
          {tasks.map((task, index) => (
            <li key={index}>
              <TaskView task={task} isLive={isOpen} />
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function titleOf({ workflow }: WorkflowItem, isOpen: boolean, text: Say, locale: string): string {
  const { summary, tasks } = workflow
  const isReasoning = workflow.type === 'reasoning'
  if (summary && 'title' in summary) return summary.title
  if (isOpen) {
    const last = tasks.at(-1)
    const title = last === undefined ? '' : titleOfTask(last, text)
    return title || text(isReasoning ? 'reasoning' : 'working')
  }
  const seconds = summary && 'duration' in summary ? summary.duration : 0
  if (!(seconds > 0)) return text(isReasoning ? 'reasoned' : 'worked')
  return text(isReasoning ? 'reasonedFor' : 'workedFor', { duration: durationIn(locale, seconds) })
}
