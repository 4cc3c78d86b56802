import { useMemo } from 'react'

import type { AssistantMessageItem } from '../../protocol/types'
import { useText } from '../context'
import { Markdown } from '../markdown/Markdown'
import { citedBy } from '../markdown/sources'
import { SourcesContext } from '../markdown/SourcesContext'
import { Sources } from './Sources'

interface AssistantMessageProps {
  item: AssistantMessageItem
  isOpen: boolean
}

export function AssistantMessage({ item, isOpen }: AssistantMessageProps) {
  const text = useText()
  const { sources, marks } = useMemo(
    () => citedBy(item.content.map((part) => part.annotations ?? [])),
    [item.content],
  )
  return (
    <div className="assistant">
      <h2 className="visually-hidden">{text('assistant')}</h2>
      <SourcesContext value={sources}>
        {item.content.map((part, index) => (
          <Markdown key={index} text={part.text} marks={marks[index] ?? []} isOpen={isOpen} />
        ))}
      </SourcesContext>
      {sources.length > 0 && <Sources sources={sources} />}
    </div>
  )
}
