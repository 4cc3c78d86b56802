import { Button } from '@openai/apps-sdk-ui/components/Button'
import { useState } from 'react'

import type { StructuredInputItem, StructuredInputSubmission } from '../../protocol/types'
import { useChat, useText } from '../context'
import { useStore } from '../store'

type Question = StructuredInputItem['inputs'][number]

/** Questions that a person answers, and then what they answered. */
export function Questions({ item }: { item: StructuredInputItem }) {
  const chat = useChat()
  const text = useText()
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const [values, setValues] = useState<Record<string, string[]>>({})
  const isOpen = (item.status ?? 'pending') === 'pending'

  const submit = (isSkipped: boolean): void => {
    const answers: StructuredInputSubmission['answers'] = {}
    for (const { id } of item.inputs) {
      const given = (values[id] ?? []).filter((value) => value.trim() !== '')
      answers[id] = given.length > 0 ? { values: given } : { skipped: true }
    }
    void chat.answer(item.id, isSkipped ? { status: 'skipped' } : { status: 'answered', answers })
  }
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault()
        submit(false)
      }}
    >
      <div className="card-body">
        {item.inputs.map((question) =>
          isOpen ? (
            <Field
              key={question.id}
              question={question}
              values={values[question.id] ?? []}
              onChange={(given) => setValues({ ...values, [question.id]: given })}
            />
          ) : (
            <div key={question.id}>
              <p className="form-question">{question.question}</p>
              <p className="caption">
                {question.answer && !question.answer.skipped
                  ? (question.answer.values ?? []).join(', ')
                  : text('skipped')}
              </p>
            </div>
          ),
        )}
      </div>
      {isOpen && (
        <div className="card-actions">
          <Button
            color="secondary"
            variant="ghost"
            type="button"
            disabled={isResponding}
            onClick={() => submit(true)}
          >
            {text('skip')}
          </Button>
          <Button color="primary" type="submit" disabled={isResponding}>
            {text('answer')}
          </Button>
        </div>
      )}
    </form>
  )
}

interface FieldProps {
  question: Question
  values: readonly string[]
  onChange: (values: string[]) => void
}

function Field({ question, values, onChange }: FieldProps) {
  const text = useText()
  if (question.type === 'freeform') {
    return (
      <label>
        <p className="form-question">{question.question}</p>
        <textarea
          className="field"
          rows={1}
          value={values[0] ?? ''}
          onChange={(event) => onChange([event.target.value])}
        />
        {question.description && <span className="caption">{question.description}</span>}
      </label>
    )
  }
  const options = question.options.map((option) => option.value)
  const own = values.find((value) => !options.includes(value)) ?? ''
  const choose = (value: string, isChosen: boolean): void => {
    if (!question.multiple) onChange([value])
    else onChange(isChosen ? [...values, value] : values.filter((each) => each !== value))
  }
  return (
    <fieldset>
      <legend className="form-question">{question.question}</legend>
      <div className="card-body" style={{ padding: 0, gap: 6 }}>
        {options.map((option) => (
          <label key={option} className="choice">
            <input
              type={question.multiple ? 'checkbox' : 'radio'}
              name={question.id}
              checked={values.includes(option)}
              onChange={(event) => choose(option, event.target.checked)}
            />
            {option}
          </label>
        ))}
        <input
          className="field"
          placeholder={text('somethingElse')}
          aria-label={text('somethingElseTo', { question: question.question })}
          value={own}
          onChange={(event) => {
            const kept = question.multiple ? values.filter((each) => options.includes(each)) : []
            onChange(event.target.value === '' ? kept : [...kept, event.target.value])
          }}
        />
      </div>
    </fieldset>
  )
}
