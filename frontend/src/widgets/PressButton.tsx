import { Button, type ButtonProps } from '@openai/apps-sdk-ui/components/Button'

interface PressButtonProps extends Omit<ButtonProps, 'onClick' | 'disabled' | 'loading' | 'inert'> {
  /** Whether the button can never be pressed. */
  isDisabled: boolean
  /** Whether the button cannot be pressed at the moment. */
  isOff: boolean
  isPending: boolean
  onPress?: ((event: React.MouseEvent) => void) | undefined
}

/** A button that keeps the focus while it is off. */
export function PressButton({ isDisabled, isOff, isPending, onPress, ...look }: PressButtonProps) {
  return (
    <Button
      {...look}
      disabled={isDisabled}
      loading={isPending}
      inert={false}
      aria-disabled={isDisabled || isOff || isPending}
      aria-busy={isPending || undefined}
      data-disabled={isDisabled || (isOff && !isPending) ? '' : undefined}
      onClick={(event) => {
        if (isOff || isPending) event.preventDefault()
        else onPress?.(event)
      }}
    />
  )
}
