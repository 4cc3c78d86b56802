import { X } from '@openai/apps-sdk-ui/components/Icon'
import { SelectControl } from '@openai/apps-sdk-ui/components/SelectControl'
import { Popover } from 'radix-ui'
import { useRef, type ComponentType, type KeyboardEvent, type ReactNode } from 'react'

import type { Widget } from '../protocol/types'
import { useText } from '../ui/context'
import type { FieldState } from './forms'
import { isTrue, oneOf, sizeOf } from './values'

interface PickerProps {
  widget: Widget
  field: FieldState<string>
  isDisabled: boolean
  isPending: boolean
  /** What is chosen, in words; none if nothing is. */
  chosen: string | null
  placeholder: string
  StartIcon?: ComponentType
  popup: {
    id: string
    role: 'listbox' | 'dialog'
    activeId?: string | undefined
    children: ReactNode
  }
  isOpen: boolean
  onOpenChange: (isOpen: boolean) => void
  /** Takes the keys of the closed control, and of the open one that keeps the focus. */
  onKeyDown: (event: KeyboardEvent) => void
  onClear: () => void
}

/** A control that opens something to choose from, and shows what was chosen. */
export function Picker(props: PickerProps) {
  const { widget, field, isDisabled, isPending, chosen, popup, isOpen, onOpenChange } = props
  const text = useText()
  const control = useRef<HTMLSpanElement>(null)
  const isClearable = isTrue(widget['clearable']) && chosen !== null && !isDisabled
  // Where there is nothing solid, soft is nearest.
  const variant = oneOf(
    widget['variant'],
    ['outline', 'soft', 'ghost', 'solid'] as const,
    'outline',
  )
  const toggle = (): void => {
    if (isDisabled || isPending) return
    control.current?.focus()
    onOpenChange(!isOpen)
  }
  return (
    <Popover.Root open={isOpen} onOpenChange={onOpenChange}>
      <Popover.Anchor asChild>
        <span className="widget-picker" data-clearable={isClearable ? '' : undefined}>
          <SelectControl
            {...field.aria}
            {...(props.StartIcon && { StartIcon: props.StartIcon })}
            ref={control}
            id={field.id}
            role="combobox"
            aria-haspopup={popup.role}
            aria-expanded={isOpen}
            aria-controls={isOpen ? popup.id : undefined}
            aria-activedescendant={isOpen ? popup.activeId : undefined}
            variant={variant === 'solid' ? 'soft' : variant}
            size={sizeOf(widget)}
            pill={isTrue(widget['pill'])}
            block
            selected={chosen !== null}
            disabled={isDisabled}
            loading={isPending}
            invalid={field.problem !== null}
            // A finger that scrolls presses as well, so that only a click opens it.
            onClickCapture={toggle}
            onKeyDownCapture={(event) => {
              if (!isDisabled && !isPending) props.onKeyDown(event)
            }}
          >
            <span dir="auto">{chosen ?? props.placeholder}</span>
          </SelectControl>
          {isClearable && (
            <button
              type="button"
              className="widget-clear"
              aria-label={text('clear')}
              onClick={() => {
                control.current?.focus()
                props.onClear()
              }}
            >
              <X />
            </button>
          )}
        </span>
      </Popover.Anchor>
      <Popover.Portal container={control.current?.closest('main') ?? null}>
        <Popover.Content
          id={popup.role === 'dialog' ? popup.id : undefined}
          role={popup.role === 'dialog' ? 'dialog' : undefined}
          {...(popup.role === 'dialog' && named(field))}
          className={`widget-popup widget-${popup.role}`}
          data-theme={control.current?.closest<HTMLElement>('[data-theme]')?.dataset['theme']}
          side={oneOf(widget['side'], ['top', 'bottom', 'left', 'right'] as const, 'bottom')}
          align={oneOf(widget['align'], ['start', 'center', 'end'] as const, 'start')}
          sideOffset={6}
          collisionPadding={8}
          hideWhenDetached
          // What is in it takes the focus, or leaves it at the control.
          onOpenAutoFocus={(event) => event.preventDefault()}
          onCloseAutoFocus={(event) => event.preventDefault()}
          onEscapeKeyDown={(event) => {
            event.preventDefault()
            onOpenChange(false)
            control.current?.focus()
          }}
          onPointerDownOutside={(event) => {
            if (control.current?.contains(event.target as Node)) event.preventDefault()
          }}
          onFocusOutside={(event) => {
            if (control.current?.contains(event.target as Node)) event.preventDefault()
          }}
        >
          {popup.children}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}

/** The name of a control, for what it opens. */
export function named(field: FieldState<string>): {
  'aria-label'?: string
  'aria-labelledby'?: string
} {
  const { 'aria-label': label, 'aria-labelledby': labelledBy } = field.aria
  return labelledBy === undefined
    ? { 'aria-label': label ?? '' }
    : { 'aria-labelledby': labelledBy }
}
