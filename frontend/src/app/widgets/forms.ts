/** The values of the controls in a form. */

import { createContext, useContext, useEffect, useMemo, useRef } from 'react'

export interface Field {
  name: string
  value: () => unknown
  /** Return whether the value will do, and show it where it will not. */
  check: () => boolean
}

/** The controls within a form, in the order in which they came. */
export class FormFields {
  #fields = new Set<Field>()

  register = (field: Field): (() => void) => {
    this.#fields.add(field)
    return () => this.#fields.delete(field)
  }

  /** Return the values by name, or `null` if some will not do. */
  collect = (): Record<string, unknown> | null => {
    const fields = [...this.#fields]
    if (fields.filter((field) => !field.check()).length > 0) return null
    return Object.fromEntries(fields.map((field) => [field.name, field.value()]))
  }
}

/** The form around a component, if there is one. */
export const FormContext = createContext<FormFields | null>(null)

export function useFormFields(): FormFields {
  return useMemo(() => new FormFields(), [])
}

/** Make a control part of the form around it. */
export function useField(field: Field): void {
  const form = useContext(FormContext)
  const latest = useRef(field)
  useEffect(() => {
    latest.current = field
  })
  useEffect(
    () =>
      form?.register({
        name: field.name,
        value: () => latest.current.value(),
        check: () => latest.current.check(),
      }),
    [form, field.name],
  )
}
