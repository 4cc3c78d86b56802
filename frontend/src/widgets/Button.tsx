import type { ButtonProps } from '@openai/apps-sdk-ui/components/Button'

import type { Widget } from '../protocol/types'
import { NamedIcon } from '../ui/icons/NamedIcon'
import type { ComponentProps } from './Component'
import { useActing, useIsOff } from './widgetActions'
import { useForm } from './forms'
import { SubmitButton } from './FormBox'
import { NotDrawn } from './NotDrawn'
import { PressButton } from './PressButton'
import { Problem } from './Problem'
import { actionOf, isTrue, oneOf, sizeOf, textOf } from './values'

const COLORS = [
  'primary',
  'secondary',
  'info',
  'discovery',
  'success',
  'caution',
  'warning',
  'danger',
] as const
const VARIANTS = ['solid', 'soft', 'outline', 'ghost'] as const
const ICON_SIZES = ['sm', 'md', 'lg', 'xl', '2xl'] as const

export function Button({ widget }: ComponentProps) {
  const form = useForm()
  const action = actionOf(widget['onClickAction'])
  const isOff = useIsOff(action)
  const { act, isActing, isPending, failure } = useActing()
  const isSubmit = isTrue(widget['submit']) && form.isForm
  const isDisabled = isTrue(widget['disabled'])
  const look = lookOf(widget)
  if (look['aria-label'] === '') return <NotDrawn />
  return (
    <div className="widget-button" data-block={isTrue(widget['block']) ? '' : undefined}>
      {isSubmit && action === null ? (
        <SubmitButton {...look} isDisabled={isDisabled} />
      ) : (
        <PressButton
          {...look}
          // A submit button with its own action sends that in place of the form's.
          type={isSubmit ? 'submit' : 'button'}
          isDisabled={isDisabled || action === null}
          isOff={isOff || isActing}
          isPending={isPending}
          onPress={(event) => {
            event.preventDefault()
            if (action !== null && (!isSubmit || form.check())) void act(action)
          }}
        />
      )}
      <Problem message={failure} />
    </div>
  )
}

function Content({ widget }: ComponentProps) {
  const [start, end] = [textOf(widget['iconStart']), textOf(widget['iconEnd'])]
  const label = textOf(widget['label'])
  return (
    <>
      {start !== '' && <NamedIcon name={start} />}
      {label !== '' && <span dir="auto">{label}</span>}
      {end !== '' && <NamedIcon name={end} />}
    </>
  )
}

function lookOf(widget: Widget): ButtonProps {
  const isPrimary = widget['style'] === 'primary'
  const iconSize = oneOf(widget['iconSize'], ICON_SIZES, undefined)
  const label = textOf(widget['label'])
  const iconName = textOf(widget['iconStart']) || textOf(widget['iconEnd'])
  return {
    color: oneOf(widget['color'], COLORS, isPrimary ? 'primary' : 'secondary'),
    variant: oneOf(widget['variant'], VARIANTS, isPrimary ? 'solid' : 'soft'),
    size: sizeOf(widget),
    pill: widget['pill'] !== false,
    uniform: isTrue(widget['uniform']),
    block: isTrue(widget['block']),
    ...(iconSize && { iconSize }),
    ...(label === '' && { 'aria-label': iconName.replaceAll('-', ' ') }),
    children: <Content widget={widget} />,
  }
}
