import { useId } from 'react'

import type { StructuredInputItem } from '../protocol/types'
import { useText } from '../ui/context'

type Question = StructuredInputItem['inputs'][number]

interface QuestionFieldProps {
  question: Question
  values: readonly string[]
  error: string | null
  onChange: (values: string[]) => void
}

/** One question, with its choices or a text field. */
export function QuestionField(props: QuestionFieldProps) {
  const { question, values, error, onChange } = props
  const id = useId()
  if (question.type === 'multiple_choice') return <Choices {...props} question={question} />
  const described = [question.description && `${id}-more`, error && `${id}-error`]
  return (
    <div className="question">
      <label className="question-title" htmlFor={id} dir="auto">
        {question.question}
      </label>
      {question.description && (
        <p id={`${id}-more`} className="caption" dir="auto">
          {question.description}
        </p>
      )}
      <textarea
        id={id}
        className="field"
        dir="auto"
        rows={1}
        value={values[0] ?? ''}
        aria-invalid={error !== null}
        aria-describedby={described.filter(Boolean).join(' ') || undefined}
        onChange={(event) => onChange([event.target.value])}
      />
      <Problem id={`${id}-error`} error={error} />
    </div>
  )
}

interface ChoicesProps extends QuestionFieldProps {
  question: Extract<Question, { type: 'multiple_choice' }>
}

function Choices({ question, values, error, onChange }: ChoicesProps) {
  const text = useText()
  const id = useId()
  const { multiple } = question
  const options = [...new Set(question.options.map((option) => option.value))]
  const own = values.find((value) => !options.includes(value)) ?? ''
  const choose = (value: string, isChosen: boolean): void => {
    if (!multiple) onChange([value])
    else onChange(isChosen ? [...values, value] : values.filter((each) => each !== value))
  }
  const write = (value: string): void => {
    const kept = multiple ? values.filter((each) => options.includes(each)) : []
    onChange(value === '' ? kept : [...kept, value])
  }
  return (
    <fieldset className="question" aria-describedby={error === null ? undefined : `${id}-error`}>
      <legend className="question-title" dir="auto">
        {question.question}
      </legend>
      {options.map((option) => (
        <label key={option} className="choice">
          <input
            type={multiple ? 'checkbox' : 'radio'}
            name={id}
            checked={values.includes(option)}
            onChange={(event) => choose(option, event.target.checked)}
          />
          <span dir="auto">{option}</span>
        </label>
      ))}
      <input
        className="field"
        dir="auto"
        placeholder={text('somethingElse')}
        aria-label={text('somethingElseTo', { question: question.question })}
        value={own}
        onChange={(event) => write(event.target.value)}
      />
      <Problem id={`${id}-error`} error={error} />
    </fieldset>
  )
}

function Problem({ id, error }: { id: string; error: string | null }) {
  if (error === null) return null
  return (
    <p id={id} className="problem" role="alert">
      {error}
    </p>
  )
}
