import { memo } from 'react'

import type { ThreadItem, UserMessageItem } from '../../protocol/types'
import { Boundary } from '../Boundary'
import { useText } from '../context'
import { AssistantMessage } from './AssistantMessage'
import { Picture } from './Picture'
import { Questions } from './Questions'
import { TaskView } from './Task'
import { UserMessage } from './UserMessage'
import { WidgetView } from './WidgetView'
import { WorkflowView } from './Workflow'

interface ItemProps {
  item: ThreadItem
  /** The message that it answers. */
  question: UserMessageItem | null
  /** Whether it is being written. */
  isOpen: boolean
}

/** One item of a thread; one of a kind that this version does not know is not shown. */
export const Item = memo(function Item({ item, question, isOpen }: ItemProps) {
  const text = useText()
  const shown = view({ item, question, isOpen })
  if (shown === null) return null
  return (
    <article className="item">
      <Boundary fallback={<p className="caption">{text('notDrawn')}</p>}>{shown}</Boundary>
    </article>
  )
})

function view({ item, question, isOpen }: ItemProps) {
  switch (item.type) {
    case 'user_message':
      return <UserMessage item={item} />
    case 'assistant_message':
      return <AssistantMessage item={item} question={question} isOpen={isOpen} />
    case 'workflow':
      return <WorkflowView item={item} isOpen={isOpen} />
    case 'task':
      return <TaskView task={item.task} />
    case 'widget':
      return <WidgetView item={item} />
    case 'structured_input':
      return <Questions item={item} />
    case 'generated_image':
      return <Picture item={item} />
    default:
      return null
  }
}
