import { ChevronDown } from '@openai/apps-sdk-ui/components/Icon'
import { useState, type CSSProperties } from 'react'

import type { Widget } from '../protocol/types'
import { useText } from '../ui/context'
import type { Action } from '../chat/actions'
import { borderOf, defined, paddingOf } from './boxStyle'
import { Children } from './Children'
import { colorOf, SURFACE } from './widgetColors'
import type { ComponentProps } from './Component'
import { useActing, useIsOff } from './widgetActions'
import { FormBox, SubmitButton } from './FormBox'
import { PressButton } from './PressButton'
import { Problem } from './Problem'
import { Status } from './Status'
import { isObject } from '../chat/isObject'
import { actionOf, isTrue, oneOf, textOf } from './values'

const SIZES = ['sm', 'md', 'lg', 'full'] as const

export function Card({ widget }: ComponentProps) {
  const text = useText()
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
  const confirm = cardActionOf(widget['confirm'])
  const cancel = cardActionOf(widget['cancel'])
  const isForm = isTrue(widget['asForm'])
  const body = (
    <>
      <div className="widget-card-body" style={bodyStyle(widget)}>
        <Children of={widget} />
      </div>
      <div className="widget-card-actions">
        {cancel && <CardButton of={cancel} isMain={false} />}
        {confirm && !isForm && <CardButton of={confirm} isMain />}
        {confirm && isForm && <SubmitButton color="primary">{confirm.label}</SubmitButton>}
      </div>
    </>
  )
  if (!isForm) return body
  return (
    <FormBox
      name=""
      action={confirm?.action ?? null}
      auto="container"
      className="widget-card-form"
      style={{}}
    >
      {body}
    </FormBox>
  )
}

interface CardAction {
  label: string
  action: Action | null
}

function cardActionOf(value: unknown): CardAction | null {
  return isObject(value)
    ? { label: textOf(value['label']), action: actionOf(value['action']) }
    : null
}

function CardButton({ of: { label, action }, isMain }: { of: CardAction; isMain: boolean }) {
  const { act, isActing, isPending, failure } = useActing()
  const isOff = useIsOff(action)
  return (
    <>
      <Problem message={failure} />
      <PressButton
        color={isMain ? 'primary' : 'secondary'}
        variant={isMain ? 'solid' : 'soft'}
        isDisabled={action === null}
        isOff={isOff || isActing}
        isPending={isPending}
        onPress={() => action && void act(action, { auto: 'container' })}
      >
        {label}
      </PressButton>
    </>
  )
}

/** Return the padding, also as variables: flush children extend over it. */
function bodyStyle(widget: Widget): CSSProperties {
  const style = paddingOf(widget['padding'])
  const { padding: all, paddingInlineStart: x = all, paddingTop: y = all } = style
  const isPlain = typeof all !== 'string' || !all.includes(' ')
  return defined({
    ...style,
    ...(isPlain && { '--card-x': x, '--card-y': y }),
  })
}
