import { boxStyle } from './boxStyle'
import { Children } from './Children'
import type { ComponentProps } from './Component'
import { FormBox } from './FormBox'
import { actionOf, oneOf } from './values'

export function Form({ widget }: ComponentProps) {
  const direction = oneOf(widget['direction'], ['row', 'col'] as const, 'col')
  return (
    <FormBox
      name={String(widget.key ?? widget.id ?? JSON.stringify(widget['onSubmitAction'] ?? null))}
      action={actionOf(widget['onSubmitAction'])}
      auto="self"
      className="widget-form"
      style={boxStyle(widget, direction)}
    >
      <Children of={widget} />
    </FormBox>
  )
}
