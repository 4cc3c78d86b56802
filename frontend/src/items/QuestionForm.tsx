import { Button } from '@openai/apps-sdk-ui/components/Button'
import { useRef, useState, type KeyboardEvent } from 'react'

import type { StructuredInputItem, StructuredInputSubmission } from '../protocol/types'
import type { Entry } from '../chat/entered'
import { useChat, useText } from '../ui/context'
import { isOfInputMethod } from '../ui/isOfInputMethod'
import { useStore } from '../ui/useStore'
import { QuestionField } from './QuestionField'
import { useEntry } from './useEntry'
import { useFocusAfter } from './useFocusAfter'

type Values = NonNullable<Entry['answers']>

/** A form with questions that the user answers or skips. */
export function QuestionForm({ item }: { item: StructuredInputItem }) {
  const text = useText()
  const chat = useChat()
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const draft = useStore(chat.state, (state) => state.draft)
  const values = useEntry(item)?.answers ?? {}
  const [isMissing, setMissing] = useState(false)
  const [sending, setSending] = useState<StructuredInputSubmission['status']>()
  const form = useRef<HTMLFormElement>(null)

  useFocusAfter(form)
  const send = async (input: StructuredInputSubmission): Promise<void> => {
    setSending(input.status)
    await chat.answer(item.id, input)
    setSending(undefined)
  }
  const submit = (): void => {
    if (isResponding) return
    const answers = answersOf(item, values)
    const isEmpty = Object.values(answers).every((each) => each.skipped)
    setMissing(isEmpty)
    if (isEmpty) form.current?.querySelector<HTMLElement>('input, textarea')?.focus()
    else void send({ status: 'answered', answers })
  }
  const change = (id: string, given: readonly string[]): void => {
    setMissing(false)
    draft.enter(item.id, { answers: { ...values, [id]: given } })
  }
  return (
    <form
      ref={form}
      className="card"
      noValidate
      onKeyDown={(event) => {
        if (!isSubmitKey(event, item.inputs.length)) return
        event.preventDefault()
        submit()
      }}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <div className="card-body questions">
        {item.inputs.map((question, index) => (
          <QuestionField
            key={question.id}
            question={question}
            values={values[question.id] ?? []}
            error={isMissing && index === 0 ? text('required') : null}
            onChange={(given) => change(question.id, given)}
          />
        ))}
      </div>
      <FormButtons
        sending={sending}
        isResponding={isResponding}
        onSkip={() => void send({ status: 'skipped' })}
      />
    </form>
  )
}

interface FormButtonsProps {
  /** The status that is being submitted, if any. */
  sending: StructuredInputSubmission['status']
  isResponding: boolean
  onSkip: () => void
}

function FormButtons({ sending, isResponding, onSkip }: FormButtonsProps) {
  const text = useText()
  return (
    <div className="card-actions">
      <Button
        color="secondary"
        variant="ghost"
        type="button"
        disabled={isResponding && sending !== 'skipped'}
        loading={sending === 'skipped'}
        onClick={onSkip}
      >
        {text('skip')}
      </Button>
      <Button
        color="primary"
        type="submit"
        disabled={isResponding && sending !== 'answered'}
        loading={sending === 'answered'}
      >
        {text('answer')}
      </Button>
    </div>
  )
}

/** Return the answers; a question without one is skipped. */
function answersOf(
  item: StructuredInputItem,
  values: Values,
): NonNullable<StructuredInputSubmission['answers']> {
  const answers: StructuredInputSubmission['answers'] = {}
  for (const { id } of item.inputs) {
    const given = (values[id] ?? []).map((value) => value.trim()).filter((value) => value !== '')
    answers[id] = given.length > 0 ? { values: given } : { skipped: true }
  }
  return answers
}

/** Return whether a key in a text area submits the form; browsers handle the other fields. */
function isSubmitKey(event: KeyboardEvent, count: number): boolean {
  if (event.key !== 'Enter' || isOfInputMethod(event.nativeEvent)) return false
  // With one question, Enter sends as it does in the composer.
  const sends = event.ctrlKey || event.metaKey || (count === 1 && !event.shiftKey)
  return sends && event.target instanceof HTMLTextAreaElement
}
