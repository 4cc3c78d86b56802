import type { ButtonProps } from '@openai/apps-sdk-ui/components/Button'
import { createContext, useContext, useMemo, type CSSProperties, type ReactNode } from 'react'

import type { Action } from '../chat/actions'
import { useActing, useIsOff, type Shown } from './widgetActions'
import { FormContext, useForm, useFormFields } from './forms'
import { PressButton } from './PressButton'
import { Problem } from './Problem'

/** The state of a form that its submit buttons need. */
interface Submitting {
  /** Whether the form has no action. */
  isNone: boolean
  /** Whether the form cannot be submitted at the moment. */
  isOff: boolean
  isPending: boolean
}

const SubmitContext = createContext<Submitting>({ isNone: true, isOff: true, isPending: false })

interface FormBoxProps {
  /** Identifies the form in its widget. */
  name: string
  action: Action | null
  /** The part that shows that the action is pending, unless the action names one. */
  auto: Shown
  className: string
  style: CSSProperties
  theme?: 'light' | 'dark' | undefined
  children: ReactNode
}

/** A form. Its action is sent with its values, once all of them are valid. */
export function FormBox({ name, action, auto, className, style, theme, children }: FormBoxProps) {
  const fields = useFormFields(true, name, useForm().kept)
  const { act, isActing, isPending, failure } = useActing(fields)
  const isOff = useIsOff(action)
  const isNone = action === null
  const submitting = useMemo(
    () => ({ isNone, isOff: isOff && !isActing, isPending }),
    [isNone, isOff, isActing, isPending],
  )
  return (
    <form
      noValidate
      className={className}
      style={style}
      data-theme={theme}
      aria-busy={isPending}
      onSubmit={(event) => {
        event.preventDefault()
        event.stopPropagation()
        if (action !== null && !isOff && !isActing && fields.check()) void act(action, { auto })
      }}
    >
      <FormContext value={fields}>
        <SubmitContext value={submitting}>{children}</SubmitContext>
      </FormContext>
      <Problem message={failure} />
    </form>
  )
}

interface SubmitButtonProps extends ButtonProps {
  isDisabled?: boolean
}

/** A button that submits the form around it. */
export function SubmitButton({ isDisabled = false, ...look }: SubmitButtonProps) {
  const { isNone, isOff, isPending } = useContext(SubmitContext)
  return (
    <PressButton
      {...look}
      type="submit"
      isDisabled={isDisabled || isNone}
      isOff={isOff}
      isPending={isPending}
    />
  )
}
