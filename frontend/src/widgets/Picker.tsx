import { X } from '@openai/apps-sdk-ui/components/Icon'
import { SelectControl } from '@openai/apps-sdk-ui/components/SelectControl'
import { Popover } from 'radix-ui'
import { useRef, type ComponentType, type KeyboardEvent, type ReactNode } from 'react'

import type { Widget } from '../protocol/types'
import { useText } from '../ui/context'
import type { FieldState } from './forms'
import { PickerPopup, type PickerLabel } from './PickerPopup'
import { isTrue, oneOf, sizeOf } from './values'

interface PickerProps {
  widget: Widget
  field: FieldState<string>
  isDisabled: boolean
  isPending: boolean
  /** The choice in words; `null` if there is none. */
  chosen: string | null
  placeholder: string
  StartIcon?: ComponentType
  popup: {
    id: string
    role: 'listbox' | 'dialog'
    activeId?: string | undefined
  }
  isOpen: boolean
  onOpenChange: (isOpen: boolean) => void
  /** Handles the keys of the control, which keeps the focus while a list is open. */
  onKeyDown: (event: KeyboardEvent) => void
  onClear: () => void
  /** The content of the popup. */
  children: ReactNode
}

const VARIANTS = ['outline', 'soft', 'ghost', 'solid'] as const

/** A control that opens a popup, and shows the choice made there. */
export function Picker(props: PickerProps) {
  const { widget, field, isDisabled, isPending, chosen, popup, isOpen, onOpenChange } = props
  const control = useRef<HTMLSpanElement>(null)
  const isClearable = isTrue(widget['clearable']) && chosen !== null && !isDisabled
  const variant = oneOf(widget['variant'], VARIANTS, 'outline')
  const toggle = (): void => {
    if (isDisabled || isPending) return
    control.current?.focus()
    onOpenChange(!isOpen)
  }
  const clear = (): void => {
    control.current?.focus()
    props.onClear()
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
            // There is no solid variant of the control; soft is closest.
            variant={variant === 'solid' ? 'soft' : variant}
            size={sizeOf(widget)}
            pill={isTrue(widget['pill'])}
            block
            selected={chosen !== null}
            disabled={isDisabled}
            loading={isPending}
            invalid={field.problem !== null}
            // Open on a click, since a finger that scrolls also presses.
            onClickCapture={toggle}
            onKeyDownCapture={(event) => {
              if (!isDisabled && !isPending) props.onKeyDown(event)
            }}
          >
            <span dir="auto">{chosen ?? props.placeholder}</span>
          </SelectControl>
          {isClearable && <ClearButton onClear={clear} />}
        </span>
      </Popover.Anchor>
      <PickerPopup
        {...popup}
        widget={widget}
        label={named(field)}
        control={control}
        onClose={() => onOpenChange(false)}
      >
        {props.children}
      </PickerPopup>
    </Popover.Root>
  )
}

function ClearButton({ onClear }: { onClear: () => void }) {
  const text = useText()
  return (
    <button type="button" className="widget-clear" aria-label={text('clear')} onClick={onClear}>
      <X />
    </button>
  )
}

/** Return a control's accessible name, for its popup. */
export function named(field: FieldState<string>): PickerLabel {
  const { 'aria-label': label, 'aria-labelledby': labelledBy } = field.aria
  return labelledBy === undefined
    ? { 'aria-label': label ?? '' }
    : { 'aria-labelledby': labelledBy }
}
