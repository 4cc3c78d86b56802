import { isPending } from '../protocol/thread'
import type { StructuredInputItem } from '../protocol/types'
import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { QuestionForm } from './QuestionForm'
import { isQuestion } from './turn'

/** Questions for the user; once answered, the user's answers. */
export function Questions({ item }: { item: StructuredInputItem }) {
  const chat = useChat()
  const text = useText()
  // Sending another message declines the questions.
  const isDeclined = useStore(chat.state, ({ thread }) => {
    const index = thread.items.findLastIndex((each) => each.id === item.id)
    return thread.items.slice(index + 1).some(isQuestion)
  })
  if (isPending(item) && !isDeclined) return <QuestionForm item={item} />
  return (
    <dl className="card answers">
      {item.inputs.map(({ id, question, answer }) => {
        const values = answer && !answer.skipped ? (answer.values ?? []) : []
        return (
          <div key={id}>
            <dt dir="auto">{question}</dt>
            <dd dir="auto">{values.length > 0 ? values.join(', ') : text('skipped')}</dd>
          </div>
        )
      })}
    </dl>
  )
}
