import { LoadingIndicator } from '@openai/apps-sdk-ui/components/Indicator'
import type { ReactNode } from 'react'

import { useText } from '../ui/context'
import { CheckIcon, FailedIcon } from '../ui/icons'
import { NamedIcon } from '../ui/icons/NamedIcon'

export type StepStatus = 'running' | 'done' | 'failed' | null

interface StepProps {
  title: string
  status: StepStatus
  icon?: string | null
  children?: ReactNode
}

/** A line with a step and its state; below it, the result. */
export function Step({ title, status, icon = null, children }: StepProps) {
  const text = useText()
  return (
    <div className="step">
      <span className="step-icon">
        <StepIcon status={status} icon={icon} />
      </span>
      <div className="step-body">
        {title !== '' && (
          <div className={status === 'running' ? 'step-title waiting' : 'step-title'} dir="auto">
            {title}
            {status !== null && (
              <span className="visually-hidden">
                {' '}
                {text(status === 'failed' ? 'stepFailed' : status)}
              </span>
            )}
          </div>
        )}
        {children}
      </div>
    </div>
  )
}

function StepIcon({ status, icon }: Pick<StepProps, 'status' | 'icon'>) {
  if (status === 'failed') return <FailedIcon className="failed" aria-hidden />
  if (icon) return <NamedIcon name={icon} />
  if (status === 'running') return <LoadingIndicator size={14} strokeWidth={2} aria-hidden />
  if (status === 'done') return <CheckIcon aria-hidden />
  return <span className="step-dot" />
}
