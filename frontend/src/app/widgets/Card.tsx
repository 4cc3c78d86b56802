import { Button } from '@openai/apps-sdk-ui/components/Button'
import { ChevronDown } from '@openai/apps-sdk-ui/components/Icon'
import { useState, type CSSProperties, type FormEvent, type ReactNode } from 'react'

import type { Widget } from '../../protocol/types'
import { useText } from '../context'
import { actionOf } from './actions'
import { borderOf, defined, paddingOf } from './box'
import { Children } from './Children'
import { colorOf, SURFACE } from './colors'
import type { ComponentProps } from './Component'
import { useActing, useIsWaiting, type Acting } from './context'
import { FormContext, useFormFields } from './forms'
import { Status } from './Status'
import { isFields, isTrue, oneOf, textOf } from './values'

const SIZES = ['sm', 'md', 'lg', 'full'] as const

export function Card({ widget }: ComponentProps) {
  const text = useText()
  const isWaiting = useIsWaiting()
  const [isOpened, setOpened] = useState(false)
  const isCollapsed = isTrue(widget['collapsed'])
  const style = defined({
    backgroundColor: colorOf(widget['background'], SURFACE),
    ...borderOf(widget['border']),
  })
  return (
    <div
      className="widget-root"
      data-size={oneOf(widget['size'], SIZES, 'md')}
      data-theme={oneOf(widget['theme'], ['light', 'dark'] as const, undefined)}
      aria-busy={isWaiting}
    >
      <Status of={widget['status']} />
      <div className="widget-card" style={style}>
        {isCollapsed && (
          <button
            type="button"
            className="widget-more"
            aria-expanded={isOpened}
            onClick={() => setOpened(!isOpened)}
          >
            {text(isOpened ? 'showLess' : 'showMore')}
            <ChevronDown className="widget-chevron" />
          </button>
        )}
        {(!isCollapsed || isOpened) && <Body widget={widget} />}
      </div>
    </div>
  )
}

function Body({ widget }: ComponentProps) {
  const text = useText()
  const fields = useFormFields()
  const confirm = useActing()
  const cancel = useActing()
  const isForm = isTrue(widget['asForm'])
  const action = isFields(widget['confirm']) ? actionOf(widget['confirm']['action']) : null
  const submit = (event?: FormEvent): void => {
    event?.preventDefault()
    if (action === null || confirm.isBusy) return
    const payload = isForm ? fields.collect() : undefined
    if (payload === null) return
    void confirm.act(action, { auto: 'container', ...(payload && { payload }) })
  }
  const body: ReactNode = (
    <>
      <div className="widget-card-body" style={bodyStyle(widget)}>
        <Children of={widget} />
      </div>
      <div className="widget-card-actions">
        {(confirm.hasFailed || cancel.hasFailed) && (
          <p className="widget-failed" role="alert">
            {text('actionFailed')}
          </p>
        )}
        <CardButton of={widget['cancel']} acting={cancel} isMain={false} />
        <CardButton
          of={widget['confirm']}
          acting={confirm}
          isMain={true}
          {...(isForm ? { type: 'submit' } : { onClick: () => submit() })}
        />
      </div>
    </>
  )
  if (!isForm) return body
  return (
    <FormContext value={fields}>
      <form className="widget-form" noValidate onSubmit={submit}>
        {body}
      </form>
    </FormContext>
  )
}

interface CardButtonProps {
  of: unknown
  acting: Acting
  isMain: boolean
  type?: 'submit'
  onClick?: () => void
}

function CardButton({ of: button, acting, isMain, type, onClick }: CardButtonProps) {
  if (!isFields(button)) return null
  const { act, isBusy, isPending } = acting
  const action = actionOf(button['action'])
  const press = (): void => {
    if (action !== null) void act(action, { auto: 'container' })
  }
  return (
    <Button
      type={type ?? 'button'}
      color={isMain ? 'primary' : 'secondary'}
      variant={isMain ? 'solid' : 'soft'}
      loading={isPending}
      disabled={isBusy || action === null}
      onClick={type === 'submit' ? undefined : (onClick ?? press)}
    >
      {textOf(button['label'])}
    </Button>
  )
}

/** The padding, which what is flush reaches over. */
function bodyStyle(widget: Widget): CSSProperties {
  const style = paddingOf(widget['padding'])
  const { padding: all, paddingInlineStart: x = all, paddingTop: y = all } = style
  const isPlain = typeof all !== 'string' || !all.includes(' ')
  return defined({
    ...style,
    ...(isPlain && { '--card-x': x, '--card-y': y }),
  })
}
