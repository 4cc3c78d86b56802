/** Stores, checks and collects the values of a widget's controls. */

import {
  createContext,
  useContext,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'

import type { TextKey } from '../i18n/locales/en'
import type { FieldValue, KeptFields } from '../chat/entered'
import { Store } from '../chat/store'
import { useStore } from '../ui/useStore'

interface Field {
  name: string
  id: string
  /** Returns the value to send: `null` if nothing is chosen, `undefined` if disabled. */
  value: () => FieldValue | null | undefined
  /** Shows the problem with the value, if there is one, and returns whether the value is valid. */
  check: () => boolean
}

interface Ids {
  /** The IDs of controls, by the names of their fields. */
  controls: Readonly<Record<string, string>>
  /** The IDs of labels, by the names of their fields. */
  labels: Readonly<Record<string, string>>
}

/** The controls in a form, or those of a widget outside of forms. */
export class FormFields {
  readonly ids = new Store<Ids>({ controls: {}, labels: {} })
  #fields = new Set<Field>()

  constructor(
    readonly isForm: boolean,
    readonly name: string,
    readonly kept: KeptFields,
  ) {}

  add(field: Field): () => void {
    this.#fields.add(field)
    const remove = this.#name('controls', field.name, field.id)
    return () => {
      this.#fields.delete(field)
      remove()
    }
  }

  label(name: string, id: string): () => void {
    return this.#name('labels', name, id)
  }

  /** Register an ID for a name; the first ID of a name wins. */
  #name(kind: keyof Ids, name: string, id: string): () => void {
    const known = this.ids.get()[kind]
    if (!Object.hasOwn(known, name)) this.ids.set({ [kind]: { ...known, [name]: id } })
    return () => {
      const { [name]: owner, ...others } = this.ids.get()[kind]
      if (owner === id) this.ids.set({ [kind]: others })
    }
  }

  /** Return whether all values are valid; if not, focus the first invalid field. */
  check(): boolean {
    const wrong = this.#inOrder().filter((field) => !field.check())
    document.getElementById(wrong[0]?.id ?? '')?.focus()
    return wrong.length === 0
  }

  /** Return the values by the names of their fields. */
  values(): [name: string, value: FieldValue | null][] {
    return this.#inOrder().flatMap((field) => {
      const value = field.value()
      return value === undefined || field.name === '' ? [] : [[field.name, value]]
    })
  }

  #inOrder(): Field[] {
    return [...this.#fields].sort((one, other) => {
      const [a, b] = [document.getElementById(one.id), document.getElementById(other.id)]
      return a && b && a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_PRECEDING ? 1 : -1
    })
  }
}

export const FormContext = createContext<FormFields | null>(null)

/** Return the form around a component, or the fields of the widget outside of forms. */
export function useForm(): FormFields {
  const form = useContext(FormContext)
  if (form === null) throw new Error('There is no form around this component.')
  return form
}

export function useFormFields(isForm: boolean, name: string, kept: KeptFields): FormFields {
  return useMemo(() => new FormFields(isForm, name, kept), [isForm, name, kept])
}

interface FieldOptions<T extends FieldValue> {
  name: string
  /** The initial value; when it changes, the field is reset to it. */
  initial: T
  isDisabled: boolean
  isRequired: boolean
  /** Whether the value is a password. */
  isSecret?: boolean
  /** Whether the empty text means that nothing was chosen. */
  isChoice?: boolean
  /** Returns whether a value is valid; required values are checked separately. */
  isValid?: (value: T) => boolean
}

export interface FieldState<T extends FieldValue> {
  id: string
  value: T
  set: (value: T) => void
  /** The problem with the value, after it was checked. */
  problem: TextKey | null
  /** The accessible name and state of the control. */
  aria: {
    'aria-label'?: string
    'aria-labelledby'?: string
    'aria-describedby'?: string
    'aria-invalid'?: true
    'aria-required'?: true
  }
}

/** Return the value of a control, which belongs to the form around it. */
export function useField<T extends FieldValue>(
  options: FieldOptions<T>,
  title: string,
): FieldState<T> {
  const { name, initial, isRequired } = options
  const id = useId()
  const form = useForm()
  const [value, setValue] = useState<T>(() => restored(form, name, initial))
  const [begun, setBegun] = useState(initial)
  const [problem, setProblem] = useState<TextKey | null>(null)
  const label = useStore(form.ids, ({ labels }) =>
    Object.hasOwn(labels, name) ? labels[name] : undefined,
  )
  if (begun !== initial) {
    setBegun(initial)
    setValue(initial)
    setProblem(null)
  }

  const actions = useFieldActions({ form, value, options, problem, setValue, setProblem })
  useEffect(
    () => form.add({ name, id, value: actions.value, check: actions.check }),
    [form, name, id, actions],
  )

  return {
    id,
    value,
    set: actions.set,
    problem,
    aria: {
      ...(label === undefined ? { 'aria-label': title } : { 'aria-labelledby': label }),
      ...(problem !== null && { 'aria-describedby': `${id}-problem`, 'aria-invalid': true }),
      ...(isRequired && { 'aria-required': true }),
    },
  }
}

interface FieldParts<T extends FieldValue> {
  form: FormFields
  value: T
  options: FieldOptions<T>
  problem: TextKey | null
  setValue: (value: T) => void
  setProblem: (problem: TextKey | null) => void
}

/** Return functions that set, check and read the value of a field; they never change. */
function useFieldActions<T extends FieldValue>(parts: FieldParts<T>) {
  // A form may read a value right after it was set, before the field is rendered again.
  const latest = useRef(parts)
  useLayoutEffect(() => {
    latest.current = parts
  })
  return useMemo(() => {
    const wrong = (): TextKey | null => {
      const { value, options } = latest.current
      if (options.isDisabled) return null
      if (options.isValid?.(value) === false) return 'invalid'
      return options.isRequired && (value === '' || value === false) ? 'required' : null
    }
    const show = (problem: TextKey | null): void => {
      latest.current = { ...latest.current, problem }
      latest.current.setProblem(problem)
    }
    return {
      set: (value: T): void => {
        latest.current = { ...latest.current, value }
        const { form, options, problem, setValue } = latest.current
        setValue(value)
        const { initial, isSecret = false } = options
        form.kept.set(keyOf(form, options.name), { initial, value, isSecret })
        if (problem !== null) show(wrong())
      },
      check: (): boolean => {
        const found = wrong()
        show(found)
        return found === null
      },
      value: (): FieldValue | null | undefined => {
        const { value, options } = latest.current
        if (options.isDisabled) return undefined
        return options.isChoice && value === '' ? null : value
      },
    }
  }, [])
}

function keyOf(form: FormFields, name: string): string {
  return `${form.name}\n${name}`
}

function restored<T extends FieldValue>(form: FormFields, name: string, initial: T): T {
  const kept = form.kept.get(keyOf(form, name))
  return kept?.initial === initial ? (kept.value as T) : initial
}
