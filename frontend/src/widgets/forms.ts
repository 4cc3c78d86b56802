/** What people put into the controls of a widget: kept, checked and collected. */

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
import type { FieldValue, KeptFields } from '../chat/keptFields'
import { Store } from '../chat/store'
import { useStore } from '../ui/useStore'

interface Field {
  name: string
  id: string
  /** The value to send, which is `null` where nothing was chosen; none if it is switched off. */
  value: () => FieldValue | null | undefined
  /** Show what is wrong with the value, if anything, and return whether it will do. */
  check: () => boolean
}

interface Ids {
  /** The ids of controls, by the names of their fields. */
  controls: Readonly<Record<string, string>>
  /** The ids of labels, by the names of the fields they are for. */
  labels: Readonly<Record<string, string>>
}

/** The controls within a form, or those of a widget that are in none. */
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

  /** Remember an id by a name; of several, the first has it. */
  #name(kind: keyof Ids, name: string, id: string): () => void {
    const known = this.ids.get()[kind]
    if (!Object.hasOwn(known, name)) this.ids.set({ [kind]: { ...known, [name]: id } })
    return () => {
      const { [name]: owner, ...others } = this.ids.get()[kind]
      if (owner === id) this.ids.set({ [kind]: others })
    }
  }

  /** Return whether all values will do; if not, the first that will not has the focus. */
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

/** The form around a component, or what stands for one. */
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
  /** What it begins with, and is again when that changes. */
  initial: T
  isDisabled: boolean
  isRequired: boolean
  /** Whether an empty text is nothing, as in lists, rather than a text. */
  isChoice?: boolean
  /** Whether a value will do; one that is missing is another matter. */
  isValid?: (value: T) => boolean
}

export interface FieldState<T extends FieldValue> {
  id: string
  value: T
  set: (value: T) => void
  /** What is wrong with the value, once that was asked. */
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

/** The value of a control, which is part of the form around it. */
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

/** Return what sets, checks and sends the value of a field, the same functions each time. */
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
        form.kept.set(keyOf(form, options.name), { initial: options.initial, value })
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
