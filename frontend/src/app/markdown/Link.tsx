import type { ComponentProps, MouseEvent } from 'react'

import { useChat } from '../context'

const SAFE = /^(https?:|mailto:|tel:)/i
const DEEPLINK = /^chatkit-link:/i

/** A link that opens elsewhere, or tells the app; one that might do anything else is its text. */
export function Link({ href, children, ...rest }: ComponentProps<'a'>) {
  const chat = useChat()
  const isDeep = href !== undefined && DEEPLINK.test(href)
  if (href === undefined || (!isDeep && !SAFE.test(href))) return <span>{children}</span>
  const open = (event: MouseEvent): void => {
    event.preventDefault()
    chat.openDeeplink(href)
  }
  return (
    <a
      {...rest}
      href={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      {...(isDeep && { onClick: open, onAuxClick: open })}
    >
      {children}
    </a>
  )
}
