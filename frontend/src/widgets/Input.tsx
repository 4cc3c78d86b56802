import { Input as DrawnInput } from '@openai/apps-sdk-ui/components/Input'
import { useRef } from 'react'

import type { ComponentProps } from './Component'
import { Field } from './Field'
import { useField } from './forms'
import { fits } from './patterns'
import { useAutoFocus } from './useAutoFocus'
import { isTrue, nameOf, oneOf, textOf, titleOf, writingLook } from './values'

const TYPES = ['text', 'number', 'email', 'password', 'tel', 'url'] as const

export function Input({ widget }: ComponentProps) {
  const input = useRef<HTMLInputElement>(null)
  const isDisabled = isTrue(widget['disabled'])
  const type = oneOf(widget['inputType'], TYPES, 'text')
  const field = useField<string>(
    {
      name: nameOf(widget),
      initial: textOf(widget['defaultValue']),
      isDisabled,
      isRequired: isTrue(widget['required']),
      isSecret: type === 'password',
      isValid: (value) => {
        const { badInput = false, typeMismatch = false } = input.current?.validity ?? {}
        return !badInput && !typeMismatch && fits(widget['pattern'], value)
      },
    },
    titleOf(widget),
  )
  useAutoFocus(input, isTrue(widget['autoFocus']))
  return (
    <Field field={field} isBlock>
      <DrawnInput
        {...writingLook(widget)}
        {...field.aria}
        ref={input}
        id={field.id}
        name={nameOf(widget)}
        type={type}
        value={field.value}
        onChange={(event) => field.set(event.target.value)}
        placeholder={textOf(widget['placeholder'])}
        disabled={isDisabled}
        invalid={field.problem !== null}
        pill={isTrue(widget['pill'])}
        allowAutofillExtensions={isTrue(widget['allowAutofillExtensions'])}
        {...(isTrue(widget['autoSelect']) && { onFocus: (event) => event.target.select() })}
      />
    </Field>
  )
}
