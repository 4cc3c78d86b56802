import { RadioGroup as DrawnRadioGroup } from '@openai/apps-sdk-ui/components/RadioGroup'

import { useLocale } from '../ui/context'
import { directionOf } from '../i18n/texts'
import type { ComponentProps } from './Component'
import { useChange } from './widgetActions'
import { Field } from './Field'
import { useField } from './forms'
import { NotDrawn } from './NotDrawn'
import { isTrue, nameOf, oneOf, optionsOf, textOf, titleOf } from './values'

export function RadioGroup({ widget }: ComponentProps) {
  const { sendChange, isPending, failure } = useChange(widget)
  const direction = directionOf(useLocale())
  const options = optionsOf(widget['options'])
  const isDisabled = isTrue(widget['disabled'])
  const given = textOf(widget['defaultValue'])
  const title = titleOf(widget)
  const field = useField<string>(
    {
      name: nameOf(widget),
      initial: options.some((option) => option.value === given) ? given : '',
      isDisabled,
      isRequired: isTrue(widget['required']),
      isChoice: options.every((option) => option.value !== ''),
    },
    title,
  )
  if (options.length === 0) return <NotDrawn />
  // Radix needs the text direction for the arrow keys.
  const root = { ...field.aria, id: field.id, dir: direction }
  return (
    <Field field={field} isBlock={false} isPending={isPending} failure={failure}>
      <DrawnRadioGroup
        aria-label={title}
        {...root}
        className="widget-radios"
        direction={oneOf(widget['direction'], ['row', 'col'] as const, 'row')}
        value={field.value}
        disabled={isDisabled}
        onChange={(value: string) => {
          field.set(value)
          sendChange(value)
        }}
      >
        {options.map((option) => (
          <DrawnRadioGroup.Item
            key={option.value}
            value={option.value}
            disabled={option.isDisabled}
          >
            <span dir="auto">{option.label}</span>
          </DrawnRadioGroup.Item>
        ))}
      </DrawnRadioGroup>
    </Field>
  )
}
