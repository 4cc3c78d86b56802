import type { ComponentProps, MouseEvent } from 'react'

import { useChat } from '../ui/context'

const SAFE = /^(https?:|mailto:|tel:)/i
const FOOTNOTE = /^#user-content-fn/
const DEEPLINK = /^chatkit-link:/i

/** A link that opens elsewhere, or tells the app; one that might do anything else is its text. */
export function Link({ href, children, ...rest }: ComponentProps<'a'>) {
  const chat = useChat()
  if (href !== undefined && FOOTNOTE.test(href)) {
    return (
      <a {...rest} href={href} onClick={goToFootnote}>
        {children}
      </a>
    )
  }
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

/** Go to a footnote, or back, in the same text: others have notes of the same number. */
function goToFootnote(event: MouseEvent<HTMLAnchorElement>): void {
  event.preventDefault()
  const id = event.currentTarget.hash.slice(1)
  const text = event.currentTarget.closest('.markdown')
  const target = text?.querySelector<HTMLElement>(`[id=${JSON.stringify(id)}]`)
  if (!target) return
  target.tabIndex = -1
  target.focus()
  target.scrollIntoView({ block: 'nearest' })
}
