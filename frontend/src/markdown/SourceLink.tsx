import type { CustomApiConfig } from '@openai/chatkit'
import { useEffect, useState, type ReactNode } from 'react'

import { download } from '../chat/transfer'
import { Previewable, preloadPreviews } from '../ui/Previewable'
import type { Attachment, ThreadItem } from '../protocol/types'
import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { Link } from './Link'
import type { Source } from './sources'

interface SourceLinkProps {
  source: Source
  name?: string
  className?: string
  children: ReactNode
}

/** A link or button that opens a source, if it can be opened. */
export function SourceLink({ source, name, children, ...rest }: SourceLinkProps) {
  const chat = useChat()
  const text = useText()
  const onClick = useStore(chat.state, ({ options }) => options?.entities?.onClick)
  const isPreviewed = useIsPreviewed(source)
  const attachment = useStore(chat.state, ({ thread }) =>
    attachmentOf(thread.items, source.filename),
  )
  const [hasFailed, setFailed] = useState(false)
  const { entity } = source
  const url =
    source.url ?? (attachment?.type === 'image' && !onClick ? attachment.preview_url : null)
  if (url !== null) {
    return (
      <Link href={url} aria-label={name} {...rest}>
        {children}
      </Link>
    )
  }
  const isFile = attachment !== null && !onClick
  if (entity?.interactive !== true || (!onClick && !isPreviewed && !isFile)) {
    return (
      <span
        {...(name !== undefined && { 'aria-label': name, role: 'note', tabIndex: 0 })}
        {...rest}
      >
        {children}
      </span>
    )
  }
  const open = (): void => {
    onClick?.(entity)
    const api = chat.state.get().options?.api as CustomApiConfig
    if (!isFile) return
    setFailed(false)
    download(api, attachment).catch(() => setFailed(true))
  }
  return (
    <>
      <Previewable entity={entity}>
        <button type="button" aria-label={name} onClick={open} {...rest}>
          {children}
        </button>
      </Previewable>
      {hasFailed && <span role="alert">{text('actionFailed')}</span>}
    </>
  )
}

/** Return whether the app may preview a source; if so, load the code for previews. */
export function useIsPreviewed({ entity, url }: Source): boolean {
  const onRequestPreview = useStore(
    useChat().state,
    ({ options }) => options?.entities?.onRequestPreview,
  )
  const isPreviewed = url === null && entity?.interactive === true && onRequestPreview !== undefined
  useEffect(() => {
    if (isPreviewed) void preloadPreviews()
  }, [isPreviewed])
  return isPreviewed
}

/** Return the last file with this name that the user attached. */
function attachmentOf(items: readonly ThreadItem[], filename: string | null): Attachment | null {
  if (filename === null) return null
  return (
    items
      .flatMap((item) => (item.type === 'user_message' ? (item.attachments ?? []) : []))
      .findLast(({ name }) => name === filename) ?? null
  )
}
