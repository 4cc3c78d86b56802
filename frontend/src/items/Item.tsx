import { memo } from 'react'

import type { ThreadItem, UserMessageItem } from '../protocol/types'
import { Boundary } from '../ui/Boundary'
import { useText } from '../ui/context'
import { AnswerActions } from './AnswerActions'
import { AssistantMessage } from './AssistantMessage'
import { ClientToolCall } from './ClientToolCall'
import { Picture } from './Picture'
import { Questions } from './Questions'
import { isKnownEnd, TurnEnd } from './TurnEnd'
import { TaskView } from './Task'
import { UserMessage } from './UserMessage'
import { WidgetItemView } from './WidgetItemView'
import { WorkflowView } from './Workflow'

interface ItemProps {
  item: ThreadItem
  /** Whether the item is being written. */
  isOpen: boolean
  /** Whether the item's turn is running. */
  isLive: boolean
  /** The progress of an image, from 0 to 1; `null` if it is not known. */
  progress: number | null
  /** Whether the item ends an answer, and has the answer's buttons. */
  isEnd: boolean
  /** The message that the item answers. */
  question: UserMessageItem | null
}

/** One item of a thread. Unknown kinds are not shown. */
export const Item = memo(function Item(props: ItemProps) {
  const text = useText()
  const shown = view(props)
  if (shown === null) return null
  return (
    <article className="item">
      <Boundary fallback={<p className="caption">{text('notDrawn')}</p>}>{shown}</Boundary>
      {props.isEnd && <AnswerActions endId={props.item.id} question={props.question} />}
    </article>
  )
})

function view({ item, isOpen, isLive, progress, question }: ItemProps) {
  switch (item.type) {
    case 'user_message':
      return <UserMessage item={item} />
    case 'assistant_message':
      return <AssistantMessage item={item} isOpen={isOpen} />
    case 'workflow':
      return <WorkflowView item={item} isOpen={isOpen} />
    case 'task':
      return <TaskView task={item.task} isLive={isLive} />
    case 'widget':
      return <WidgetItemView item={item} />
    case 'structured_input':
      return <Questions item={item} />
    case 'generated_image':
      return <Picture item={item} isOpen={isOpen} progress={progress} />
    case 'client_tool_call':
      return <ClientToolCall item={item} />
    case 'end_of_turn':
      return isKnownEnd(item) ? <TurnEnd item={item} question={question} /> : null
    default:
      return null
  }
}
