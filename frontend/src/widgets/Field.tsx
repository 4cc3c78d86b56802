import type { ReactNode } from 'react'

import { useText } from '../ui/context'
import type { FieldState } from './forms'
import { Problem } from './Problem'

interface FieldProps {
  field: Pick<FieldState<never>, 'id' | 'problem'>
  isBlock: boolean
  /** Whether an action of the control is waiting for its response. */
  isPending?: boolean
  /** The error message if the control's last action failed. */
  failure?: string | null
  children: ReactNode
}

/** A control, and below it the problem with its value. */
export function Field({ field, isBlock, isPending = false, failure = null, children }: FieldProps) {
  const text = useText()
  return (
    <div
      className="widget-field"
      data-block={isBlock ? '' : undefined}
      aria-busy={isPending || undefined}
    >
      {children}
      {field.problem !== null && (
        <p id={`${field.id}-problem`} className="widget-problem">
          {text(field.problem)}
        </p>
      )}
      <Problem message={failure} />
    </div>
  )
}
