import { Button } from '@openai/apps-sdk-ui/components/Button'

import { actionOf } from './actions'
import { borderOf, defined, paddingOf } from './box'
import { Children } from './Children'
import { colorOf, SURFACE } from './colors'
import type { ComponentProps } from './Component'
import { useActing, useIsWaiting } from './context'
import { FormContext, useFormFields } from './forms'
import { isFields, isTrue, oneOf, textOf } from './values'

export function Card({ widget }: ComponentProps) {
  const isForm = isTrue(widget['asForm'])
  const fields = useFormFields()
  const isWaiting = useIsWaiting()
  const style = defined({
    backgroundColor: colorOf(widget['background'], SURFACE),
    ...borderOf(widget['border']),
  })
  return (
    <div
      className={`widget-card card-${oneOf(widget['size'], ['sm', 'md', 'lg', 'full'] as const, 'sm')}`}
      data-theme={oneOf(widget['theme'], ['light', 'dark'] as const, undefined)}
      aria-busy={isWaiting}
      style={style}
    >
      <FormContext value={isForm ? fields : null}>
        <div className="widget-card-body" style={defined(paddingOf(widget['padding']))}>
          <Children of={widget} />
        </div>
        <div className="widget-card-actions">
          <CardButton of={widget['cancel']} color="secondary" />
          <CardButton of={widget['confirm']} color="primary" collect={isForm ? fields.collect : undefined} />
        </div>
      </FormContext>
    </div>
  )
}

interface CardButtonProps {
  of: unknown
  color: 'primary' | 'secondary'
  /** The values that go with the action; `null` if they will not do. */
  collect?: (() => Record<string, unknown> | null) | undefined
}

function CardButton({ of: button, color, collect }: CardButtonProps) {
  const { act, isPending, isBusy } = useActing()
  if (!isFields(button)) return null
  const action = actionOf(button['action'])
  const press = (): void => {
    const payload = collect?.()
    if (action === null || payload === null) return
    void act(action, { auto: 'container', ...(payload && { payload }) })
  }
  return (
    <Button
      color={color}
      variant={color === 'primary' ? 'solid' : 'soft'}
      loading={isPending}
      disabled={isBusy || action === null}
      onClick={press}
    >
      {textOf(button['label'])}
    </Button>
  )
}
