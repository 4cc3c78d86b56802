import { useEffect, useId } from 'react'

import { useStore } from '../ui/useStore'
import type { ComponentProps } from './Component'
import { useForm } from './forms'
import { textStyle } from './TextLine'
import { oneOf, textOf } from './values'

const SIZES = ['xs', 'sm', 'md', 'lg', 'xl'] as const

export function Label({ widget }: ComponentProps) {
  const form = useForm()
  const id = useId()
  const name = textOf(widget['fieldName'])
  const control = useStore(form.ids, ({ controls }) =>
    Object.hasOwn(controls, name) ? controls[name] : undefined,
  )
  const value = textOf(widget['value'])
  useEffect(
    () => (name === '' || value === '' ? undefined : form.label(name, id)),
    [form, name, value, id],
  )
  return (
    <label
      id={id}
      htmlFor={control}
      className={`widget-label text-${oneOf(widget['size'], SIZES, 'sm')}`}
      dir="auto"
      style={textStyle(widget)}
      // Browsers focus only native controls by their labels.
      onClick={() => document.getElementById(control ?? '')?.focus()}
    >
      {value}
    </label>
  )
}
