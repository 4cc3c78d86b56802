import { useMemo, useState } from 'react'

import type { Annotation, AssistantMessageItem } from '../protocol/types'
import { useText } from '../ui/context'
import { Markdown } from '../markdown/Markdown'
import { citedBy } from '../markdown/sources'
import { SourcesContext } from '../markdown/SourcesContext'
import { Sources } from './Sources'

interface AssistantMessageProps {
  item: AssistantMessageItem
  isOpen: boolean
}

const NONE: readonly Annotation[] = []

export function AssistantMessage({ item, isOpen }: AssistantMessageProps) {
  const text = useText()
  const annotations = useSame(item.content.map((part) => part.annotations ?? NONE))
  const { sources, marks } = useMemo(() => citedBy(annotations), [annotations])
  const isEmpty =
    !isOpen && sources.length === 0 && item.content.every((part) => part.text.trim() === '')
  return (
    <div className="assistant">
      <h2 className="visually-hidden">{text('assistant')}</h2>
      <SourcesContext value={sources}>
        {item.content.map((part, index) => (
          <Markdown key={index} text={part.text} marks={marks[index] ?? []} isOpen={isOpen} />
        ))}
      </SourcesContext>
      {isEmpty && <p className="caption">{text('emptyAnswer')}</p>}
      {sources.length > 0 && <Sources sources={sources} />}
    </div>
  )
}

/** Return the previous list while its entries are the same, to avoid a render. */
function useSame<T>(list: readonly T[]): readonly T[] {
  const [kept, keep] = useState(list)
  if (kept.length === list.length && kept.every((each, index) => each === list[index])) return kept
  keep(list)
  return list
}
