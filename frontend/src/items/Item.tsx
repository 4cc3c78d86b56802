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
  /** Whether it is being written. */
  isOpen: boolean
  /** Whether the turn that it is part of goes on. */
  isLive: boolean
  /** How much of it is there, from 0 to 1, if that is known. */
  progress: number | null
  /** Whether it is the end of an answer, with which one may do something. */
  isEnd: boolean
  /** What it comes of. */
  question: UserMessageItem | null
}

/** One item of a thread; one of a kind that this version does not know is not shown. */
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
