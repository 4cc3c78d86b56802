import type { ReactNode } from 'react'

import { useChat } from '../ui/context'
import { Link } from './Link'
import type { Source } from './sources'

interface SourceLinkProps {
  source: Source
  name?: string
  className?: string
  children: ReactNode
}

/** Leads to a source, as far as it can be opened. */
export function SourceLink({ source, name, children, ...rest }: SourceLinkProps) {
  const chat = useChat()
  const { url, entity } = source
  if (url !== null) {
    return (
      <Link href={url} aria-label={name} {...rest}>
        {children}
      </Link>
    )
  }
  const onClick = chat.state.get().options?.entities?.onClick
  if (entity !== null && entity.interactive && onClick) {
    const { id, title, icon, group, data } = entity
    const chosen = { id, title, ...(icon && { icon }), ...(group && { group }) }
    return (
      <button
        type="button"
        aria-label={name}
        onClick={() => onClick({ ...chosen, interactive: true, data: data as Record<string, string> })}
        {...rest}
      >
        {children}
      </button>
    )
  }
  return (
    <span {...(name !== undefined && { 'aria-label': name, role: 'note', tabIndex: 0 })} {...rest}>
      {children}
    </span>
  )
}
