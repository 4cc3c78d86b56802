import type { ComponentProps, MouseEvent } from 'react'

import { useChat, useText } from '../ui/context'
import { goToNote } from './notes'

const NOTE = /^#user-content-fn/
const DEEPLINK = /^chatkit-link:/i

/** A link that opens elsewhere or notifies the app; an unsafe one is shown as text. */
export function Link({ href = '', children, ...rest }: ComponentProps<'a'>) {
  const chat = useChat()
  const text = useText()
  if (NOTE.test(href)) {
    return (
      <a {...rest} href={href} onClick={goToNote}>
        {children}
      </a>
    )
  }
  const isDeep = DEEPLINK.test(href)
  const url = isDeep ? href : resolved(href)
  if (url === null) {
    return (
      <span>
        {children} <span className="caption">({text('linkBlocked')})</span>
      </span>
    )
  }
  const open = (event: MouseEvent): void => {
    event.preventDefault()
    chat.openDeeplink(url)
  }
  return (
    <a
      {...rest}
      href={url}
      target="_blank"
      rel="noopener noreferrer nofollow"
      {...(isDeep && { onClick: open, onAuxClick: open })}
    >
      {children}
    </a>
  )
}

/** Return a link's address, relative to the app's page; `null` if it is not safe. */
function resolved(href: string): string | null {
  if (/^(?:mailto|tel):/i.test(href)) return href
  // Browsers remove control characters before they look for a scheme.
  const scheme = /^[\s\p{Cc}]*([a-z][a-z\d+.-]*):/iu.exec(href.replaceAll(/[\t\n\r]/g, ''))?.[1]
  if (href === '' || (scheme !== undefined && !/^https?$/i.test(scheme))) return null
  const base = parent.document.baseURI
  if (!URL.canParse(href, base)) return null
  const url = new URL(href, base)
  return /^https?:$/.test(url.protocol) ? url.href : null
}
