import { useText } from '../ui/context'
import { SourceLink } from '../markdown/SourceLink'
import type { Source } from '../markdown/sources'

/** The sources that a message cites. */
export function Sources({ sources }: { sources: readonly Source[] }) {
  const text = useText()
  return (
    <ul className="sources" aria-label={text('sources')}>
      {sources.map((source) => (
        <li key={source.number}>
          <SourceLink source={source} className="source">
            <span className="source-number">{source.number}</span>
            <bdi>{source.title}</bdi>
          </SourceLink>
        </li>
      ))}
    </ul>
  )
}
