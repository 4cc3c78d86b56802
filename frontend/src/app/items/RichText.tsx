import type { ComponentProps } from 'react'
import { Streamdown, type Components } from 'streamdown'

import { useChat, useText } from '../context'
import { useStore } from '../store'

interface RichTextProps {
  text: string
  isOpen: boolean
}

/** Markdown as a model writes it, which may be unfinished, and which may mean harm. */
export default function RichText({ text, isOpen }: RichTextProps) {
  return (
    <Streamdown
      mode={isOpen ? 'streaming' : 'static'}
      components={components}
      controls={{ table: false, mermaid: false, code: { copy: true, download: false } }}
      linkSafety={{ enabled: false }}
      lineNumbers={false}
    >
      {text}
    </Streamdown>
  )
}

const components: Components = { a: Link, img: Image }

function Link({ node: _, href, children, ...rest }: ComponentProps<'a'> & { node?: unknown }) {
  if (href === undefined || !/^(https?:|mailto:|tel:)/i.test(href)) return <span>{children}</span>
  return (
    <a {...rest} href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}

function Image({ node: _, src, alt }: ComponentProps<'img'> & { node?: unknown }) {
  const chat = useChat()
  const text = useText()
  const domains = useStore(chat.state, (state) => state.thread.thread?.allowed_image_domains)
  if (typeof src === 'string' && isImageAllowed(src, domains ?? [], parent.location.origin)) {
    return <img className="image" src={src} alt={alt ?? ''} loading="lazy" />
  }
  return <span className="caption">{text('imageHidden', { name: alt ?? '' })}</span>
}

/** Return whether an image may be loaded: to load one tells its server who reads this. */
export function isImageAllowed(src: string, domains: readonly string[], origin: string): boolean {
  if (/^data:image\/(png|jpeg|gif|webp|avif);/i.test(src)) return true
  let url: URL
  try {
    url = new URL(src, origin)
  } catch {
    return false
  }
  if (url.origin === origin) return true
  return (
    url.protocol === 'https:' &&
    domains.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`))
  )
}
