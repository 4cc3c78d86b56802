import { Button } from '@openai/apps-sdk-ui/components/Button'
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'

import { isPending } from '../protocol/thread'
import type { StructuredInputItem, StructuredInputSubmission } from '../protocol/types'
import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { isQuestion } from './turn'
import { QuestionField } from './QuestionField'

/** Questions that a person answers, and then what they answered. */
export function Questions({ item }: { item: StructuredInputItem }) {
  const chat = useChat()
  const text = useText()
  // Who has written something else instead has left the questions.
  const isLeft = useStore(chat.state, ({ thread }) => {
    const index = thread.items.findLastIndex((each) => each.id === item.id)
    return thread.items.slice(index + 1).some(isQuestion)
  })
  if (isPending(item) && !isLeft) return <Form item={item} />
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

function Form({ item }: { item: StructuredInputItem }) {
  const chat = useChat()
  const text = useText()
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const [values, setValues] = useState<Record<string, readonly string[]>>({})
  const [isMissing, setMissing] = useState(false)
  const [sending, setSending] = useState<'answer' | 'skip' | null>(null)
  const form = useRef<HTMLFormElement>(null)

  // The answer takes the place of the form; who was in it goes on in the composer.
  useLayoutEffect(() => {
    const element = form.current
    return () => {
      if (element?.contains(document.activeElement)) chat.focus()
    }
  }, [chat])

  const send = async (input: StructuredInputSubmission): Promise<void> => {
    setSending(input.status === 'skipped' ? 'skip' : 'answer')
    await chat.answer(item.id, input)
    setSending(null)
  }
  const answer = (): void => {
    if (isResponding) return
    const answers: StructuredInputSubmission['answers'] = {}
    for (const { id } of item.inputs) {
      const given = (values[id] ?? []).map((value) => value.trim()).filter((value) => value !== '')
      answers[id] = given.length > 0 ? { values: given } : { skipped: true }
    }
    const isEmpty = Object.values(answers).every((each) => each.skipped)
    setMissing(isEmpty)
    if (isEmpty) form.current?.querySelector<HTMLElement>('input, textarea')?.focus()
    else void send({ status: 'answered', answers })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
    const isArea = event.target instanceof HTMLTextAreaElement
    // With one question, Enter sends as it does in the composer.
    const sends = event.ctrlKey || event.metaKey || (item.inputs.length === 1 && !event.shiftKey)
    if (!isArea || !sends) return
    event.preventDefault()
    answer()
  }
  return (
    <form
      ref={form}
      className="card"
      noValidate
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault()
        answer()
      }}
    >
      <div className="card-body questions">
        {item.inputs.map((question, index) => (
          <QuestionField
            key={question.id}
            question={question}
            values={values[question.id] ?? []}
            error={isMissing && index === 0 ? text('required') : null}
            onChange={(given) => {
              setMissing(false)
              setValues((before) => ({ ...before, [question.id]: given }))
            }}
          />
        ))}
      </div>
      <div className="card-actions">
        <Button
          color="secondary"
          variant="ghost"
          type="button"
          disabled={isResponding && sending !== 'skip'}
          loading={sending === 'skip'}
          onClick={() => void send({ status: 'skipped' })}
        >
          {text('skip')}
        </Button>
        <Button
          color="primary"
          type="submit"
          disabled={isResponding && sending !== 'answer'}
          loading={sending === 'answer'}
        >
          {text('answer')}
        </Button>
      </div>
    </form>
  )
}
