import { useState } from 'react'

import type { FileSource, URLSource } from '../protocol/types'
import { useText } from '../ui/context'
import { Link } from '../markdown/Link'
import { SourceLink } from '../markdown/SourceLink'
import { hostOf, isLink, sourceOf } from '../markdown/sources'

/** The number of sources shown at first. */
const FEW = 5

/** The sources of a task, without site icons: loading them would reveal the reader to the sites. */
export function TaskSources({ sources }: { sources: readonly (URLSource | FileSource)[] }) {
  const text = useText()
  const [isWhole, setWhole] = useState(false)
  if (sources.length === 0) return null
  const shown = isWhole ? sources : sources.slice(0, FEW)
  return (
    <ul className="sources" aria-label={text('sources')}>
      {shown.map((source, index) => (
        <li key={index}>
          <TaskSource source={source} />
        </li>
      ))}
      {sources.length > FEW && (
        <li>
          <button type="button" className="source" onClick={() => setWhole(!isWhole)}>
            {text(isWhole ? 'showLess' : 'showMore')}
            {!isWhole && <span className="source-number"> {sources.length - FEW}</span>}
          </button>
        </li>
      )}
    </ul>
  )
}

function TaskSource({ source }: { source: URLSource | FileSource }) {
  // The server describes a file that the agent produced by its address.
  const url = source.type === 'file' ? (source.description ?? '') : source.url
  if (source.type === 'file' && !isLink(url)) {
    const file = sourceOf(source, 0)
    return (
      <SourceLink source={file} className="source">
        <bdi title={source.filename}>{file.title}</bdi>
      </SourceLink>
    )
  }
  const host = hostOf(url)
  const title = source.title || host || url
  if (!isLink(url)) {
    return (
      <span className="source" dir="auto">
        {title}
      </span>
    )
  }
  return (
    <Link className="source" dir="auto" href={url} title={url}>
      {title}
      {host !== null && host !== title && <span className="source-host"> {host}</span>}
    </Link>
  )
}
