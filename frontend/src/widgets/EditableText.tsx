import { useRef } from 'react'

import type { Widget } from '../protocol/types'
import { Field } from './Field'
import { useField } from './forms'
import { fits } from './patterns'
import { textStyle } from './TextLine'
import { useAutoFocus } from './useAutoFocus'
import { isTrue, nameOf, oneOf, textOf, titleOf, type Fields } from './values'

const SIZES = ['xs', 'sm', 'md', 'lg', 'xl'] as const

/** A text that is edited in place. */
export function EditableText({ widget, editable }: { widget: Widget; editable: Fields }) {
  const area = useRef<HTMLTextAreaElement>(null)
  const field = useField<string>(
    {
      name: nameOf(editable),
      initial: textOf(widget['value']),
      isDisabled: false,
      isRequired: isTrue(editable['required']),
      isValid: (value) => fits(editable['pattern'], value),
    },
    titleOf({ type: widget.type, ...editable }),
  )
  useAutoFocus(area, isTrue(editable['autoFocus']))
  const mayFill = isTrue(editable['allowAutofillExtensions'])
  return (
    <Field field={field} isBlock>
      <textarea
        {...field.aria}
        ref={area}
        id={field.id}
        name={nameOf(editable)}
        className={`widget-text widget-editable text-${oneOf(widget['size'], SIZES, 'md')}`}
        style={textStyle(widget)}
        dir="auto"
        rows={1}
        value={field.value}
        onChange={(event) => field.set(event.target.value)}
        placeholder={textOf(editable['placeholder'])}
        autoComplete={textOf(editable['autoComplete']) || 'off'}
        data-1p-ignore={mayFill ? undefined : true}
        data-lpignore={mayFill ? undefined : true}
        {...(isTrue(editable['autoSelect']) && { onFocus: (event) => event.target.select() })}
      />
    </Field>
  )
}
