import { Tooltip } from '@openai/apps-sdk-ui/components/Tooltip'
import { useContext } from 'react'

import { useText } from '../ui/context'
import { SourceLink, useIsPreviewed } from './SourceLink'
import type { Source } from './sources'
import { SourcesContext } from './SourcesContext'

/** A number in a text that links to a source. */
export function SourceMark({ number }: { number?: string }) {
  const source = useContext(SourcesContext).find((each) => String(each.number) === number)
  return source === undefined ? null : <Mark source={source} />
}

function Mark({ source }: { source: Source }) {
  const text = useText()
  const isPreviewed = useIsPreviewed(source)
  const { title, detail } = source
  const name = text('source', { number: source.number, title })
  const link = (
    <SourceLink source={source} name={name}>
      {source.number}
    </SourceLink>
  )
  const card = (
    <span className="source-card">
      <strong>{title}</strong>
      {detail !== '' && <span>{detail}</span>}
    </span>
  )
  return (
    <sup className="source-mark">
      {isPreviewed ? (
        link
      ) : (
        <Tooltip maxWidth={320} content={card}>
          {link}
        </Tooltip>
      )}
    </sup>
  )
}
