import type { ButtonHTMLAttributes, ReactNode } from 'react'

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string
  small?: boolean
  children: ReactNode
}

/** A button that shows an icon and says what it does. */
export function IconButton({ label, small, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      className={small ? 'icon-button small' : 'icon-button'}
      aria-label={label}
      title={label}
      {...rest}
    >
      {children}
    </button>
  )
}
