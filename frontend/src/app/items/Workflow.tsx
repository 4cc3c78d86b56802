import { useState } from 'react'

import type { WorkflowItem } from '../../protocol/types'
import { useLocale, useText } from '../context'
import type { Say } from '../texts'
import { UnfoldIcon } from '../icons'
import { TaskView } from './Task'

/** What the agent does: unfolded while it does it, then a line that unfolds. */
export function WorkflowView({ item, isOpen }: { item: WorkflowItem; isOpen: boolean }) {
  const { workflow } = item
  const text = useText()
  const locale = useLocale()
  const [choice, setChoice] = useState<boolean | null>(null)
  const isUnfolded = choice ?? (isOpen || (workflow.expanded ?? false))
  return (
    <div className="workflow">
      <button type="button" aria-expanded={isUnfolded} onClick={() => setChoice(!isUnfolded)}>
        <UnfoldIcon />
        <span className={isOpen ? 'waiting' : ''}>{titleOf(item, isOpen, text, locale)}</span>
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

function titleOf({ workflow }: WorkflowItem, isOpen: boolean, text: Say, locale: string): string {
  const { summary } = workflow
  const isReasoning = workflow.type === 'reasoning'
  if (summary && 'title' in summary) return summary.title
  if (isOpen) {
    const last = workflow.tasks.at(-1)
    const title = last !== undefined && 'title' in last ? last.title : null
    return title ?? text(isReasoning ? 'reasoning' : 'working')
  }
  if (summary && 'duration' in summary) {
    const seconds = { style: 'unit', unit: 'second', unitDisplay: 'long' } as const
    const duration = new Intl.NumberFormat(locale, seconds).format(summary.duration)
    return text(isReasoning ? 'reasonedFor' : 'workedFor', { duration })
  }
  return text(isReasoning ? 'reasoned' : 'worked')
}
