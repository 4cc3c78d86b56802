import { useState } from 'react'

import type { WorkflowItem } from '../../protocol/types'
import { UnfoldIcon } from '../icons'
import { TaskView } from './Task'

/** What the agent does: unfolded while it does it, then a line that unfolds. */
export function WorkflowView({ item, isOpen }: { item: WorkflowItem; isOpen: boolean }) {
  const { workflow } = item
  const [choice, setChoice] = useState<boolean | null>(null)
  const isUnfolded = choice ?? (isOpen || (workflow.expanded ?? false))
  return (
    <div className="workflow">
      <button type="button" aria-expanded={isUnfolded} onClick={() => setChoice(!isUnfolded)}>
        <UnfoldIcon />
        <span className={isOpen ? 'waiting' : ''}>{titleOf(item, isOpen)}</span>
      </button>
      {isUnfolded && workflow.tasks.length > 0 && (
        <ul className="tasks">
          {workflow.tasks.map((task, index) => (
            <li key={index}>
              <TaskView task={task} />
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function titleOf({ workflow }: WorkflowItem, isOpen: boolean): string {
  const { summary } = workflow
  const isReasoning = workflow.type === 'reasoning'
  if (summary && 'title' in summary) return summary.title
  if (isOpen) {
    const last = workflow.tasks.at(-1)
    const title = last !== undefined && 'title' in last ? last.title : null
    return title ?? (isReasoning ? 'Thinking' : 'Working')
  }
  if (summary && 'duration' in summary) {
    return `${isReasoning ? 'Thought' : 'Worked'} for ${summary.duration} s`
  }
  return isReasoning ? 'Thought' : 'Worked'
}
