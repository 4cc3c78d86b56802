import { Checkbox as DrawnCheckbox } from '@openai/apps-sdk-ui/components/Checkbox'

import type { ComponentProps } from './Component'
import { useChange } from './widgetActions'
import { Field } from './Field'
import { useField } from './forms'
import { isTrue, nameOf, textOf, titleOf } from './values'

export function Checkbox({ widget }: ComponentProps) {
  const { sendChange, isPending, failure } = useChange(widget)
  const label = textOf(widget['label'])
  const isDisabled = isTrue(widget['disabled'])
  const field = useField<boolean>(
    {
      name: nameOf(widget),
      initial: isTrue(widget['defaultChecked']),
      isDisabled,
      isRequired: isTrue(widget['required']),
    },
    titleOf(widget),
  )
  const { 'aria-label': title, 'aria-labelledby': labelledBy, ...state } = field.aria
  const name = label === '' && { 'aria-label': title, 'aria-labelledby': labelledBy }
  return (
    <Field field={field} isBlock={false} isPending={isPending} failure={failure}>
      <DrawnCheckbox
        {...state}
        {...name}
        id={field.id}
        label={label && <span dir="auto">{label}</span>}
        checked={field.value}
        disabled={isDisabled}
        onCheckedChange={(isChecked) => {
          field.set(isChecked)
          sendChange(isChecked)
        }}
      />
    </Field>
  )
}
