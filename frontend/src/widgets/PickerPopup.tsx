import { Popover } from 'radix-ui'
import type { ReactNode, RefObject } from 'react'

import type { Widget } from '../protocol/types'
import { oneOf } from './values'

/** The accessible name of a picker and of its popup. */
export interface PickerLabel {
  'aria-label'?: string
  'aria-labelledby'?: string
}

interface PickerPopupProps {
  id: string
  /** With `listbox`, the list in the popup has the role and the name. */
  role: 'listbox' | 'dialog'
  label: PickerLabel
  widget: Widget
  control: RefObject<HTMLElement | null>
  onClose: () => void
  children: ReactNode
}

/** The popup of a picker, placed beside its control. */
export function PickerPopup(props: PickerPopupProps) {
  const { id, role, label, widget, control, onClose, children } = props
  /** A click on the control closes the popup by itself, so it must not count as one outside. */
  const keepOpen = (event: CustomEvent): void => {
    if (control.current?.contains(event.target as Node)) event.preventDefault()
  }
  return (
    <Popover.Portal container={control.current?.closest('main') ?? null}>
      <Popover.Content
        id={role === 'dialog' ? id : undefined}
        role={role === 'dialog' ? 'dialog' : undefined}
        {...(role === 'dialog' && label)}
        className={`widget-popup widget-${role}`}
        data-theme={control.current?.closest<HTMLElement>('[data-theme]')?.dataset['theme']}
        side={oneOf(widget['side'], ['top', 'bottom', 'left', 'right'] as const, 'bottom')}
        align={oneOf(widget['align'], ['start', 'center', 'end'] as const, 'start')}
        sideOffset={6}
        collisionPadding={8}
        hideWhenDetached
        // The content takes the focus, or leaves it at the control.
        onOpenAutoFocus={(event) => event.preventDefault()}
        onCloseAutoFocus={(event) => event.preventDefault()}
        onEscapeKeyDown={(event) => {
          event.preventDefault()
          onClose()
          control.current?.focus()
        }}
        onPointerDownOutside={keepOpen}
        onFocusOutside={keepOpen}
      >
        {children}
      </Popover.Content>
    </Popover.Portal>
  )
}
