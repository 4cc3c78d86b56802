import { Tooltip } from '@openai/apps-sdk-ui/components/Tooltip'
import { useContext } from 'react'

import { useText } from '../ui/context'
import { SourceLink } from './SourceLink'
import { SourcesContext } from './SourcesContext'

/** A number in a text that leads to a source. */
export function SourceMark({ number }: { number?: string }) {
  const text = useText()
  const source = useContext(SourcesContext).find((each) => String(each.number) === number)
  if (source === undefined) return null
  const { title, detail } = source
  const name = text('source', { number: source.number, title })
  return (
    <sup className="source-mark">
      <Tooltip
        maxWidth={320}
        content={
          <span className="source-card">
            <strong>{title}</strong>
            {detail !== '' && <span>{detail}</span>}
          </span>
        }
      >
        <SourceLink source={source} name={name}>
          {source.number}
        </SourceLink>
      </Tooltip>
    </sup>
  )
}
