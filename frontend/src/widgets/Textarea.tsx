import { Textarea as DrawnTextarea } from '@openai/apps-sdk-ui/components/Textarea'
import { useRef } from 'react'

import type { ComponentProps } from './Component'
import { Field } from './Field'
import { useField } from './forms'
import { fits } from './patterns'
import { useAutoFocus } from './useAutoFocus'
import { isTrue, nameOf, numberOf, textOf, titleOf, writingLook } from './values'

export function Textarea({ widget }: ComponentProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  const isDisabled = isTrue(widget['disabled'])
  const rows = rowsOf(widget['rows']) ?? 3
  const maxRows = rowsOf(widget['maxRows'])
  const field = useField<string>(
    {
      name: nameOf(widget),
      initial: textOf(widget['defaultValue']),
      isDisabled,
      isRequired: isTrue(widget['required']),
      isValid: (value) => fits(widget['pattern'], value),
    },
    titleOf(widget),
  )
  useAutoFocus(area, isTrue(widget['autoFocus']))
  return (
    <Field field={field} isBlock>
      <DrawnTextarea
        {...writingLook(widget)}
        {...field.aria}
        ref={area}
        id={field.id}
        name={nameOf(widget)}
        value={field.value}
        onChange={(event) => field.set(event.target.value)}
        placeholder={textOf(widget['placeholder'])}
        disabled={isDisabled}
        invalid={field.problem !== null}
        rows={rows}
        {...(maxRows !== null && { maxRows })}
        autoResize={isTrue(widget['autoResize'])}
        allowAutofillExtensions={isTrue(widget['allowAutofillExtensions'])}
        {...(isTrue(widget['autoSelect']) && { onFocus: (event) => event.target.select() })}
      />
    </Field>
  )
}

function rowsOf(value: unknown): number | null {
  const rows = numberOf(value)
  return rows === null ? null : Math.round(Math.min(40, Math.max(1, rows)))
}
