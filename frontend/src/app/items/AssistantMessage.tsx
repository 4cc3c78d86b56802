import { useState } from 'react'

import type { Annotation, AssistantMessageItem, UserMessageItem } from '../../protocol/types'
import { useChat, useText } from '../context'
import { IconButton } from '../IconButton'
import { DislikeIcon, LikeIcon, RetryIcon } from '../icons'
import { useStore } from '../store'
import { CopyButton } from './CopyButton'
import { Markdown } from './Markdown'

interface AssistantMessageProps {
  item: AssistantMessageItem
  question: UserMessageItem | null
  isOpen: boolean
}

export function AssistantMessage({ item, question, isOpen }: AssistantMessageProps) {
  const chat = useChat()
  const say = useText()
  const actions = useStore(chat.state, (state) => state.options?.threadItemActions)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const [feedback, setFeedback] = useState<'positive' | 'negative' | null>(null)
  const text = item.content.map((part) => part.text).join('\n\n')
  const sources = sourcesOf(item.content.flatMap((part) => part.annotations ?? []))

  const rate = async (kind: 'positive' | 'negative'): Promise<void> => {
    setFeedback(kind)
    try {
      await chat.giveFeedback([item.id], kind)
    } catch {
      setFeedback(null)
    }
  }
  return (
    <div className="assistant">
      {item.content.map((part, index) => (
        <Markdown key={index} text={part.text} isOpen={isOpen} />
      ))}
      {sources.length > 0 && <Sources sources={sources} />}
      {!isOpen && text !== '' && (
        <div className="actions">
          <CopyButton text={text} />
          {actions?.feedback && (
            <>
              <IconButton
                small
                label={say('goodAnswer')}
                aria-pressed={feedback === 'positive'}
                onClick={() => void rate('positive')}
              >
                <LikeIcon />
              </IconButton>
              <IconButton
                small
                label={say('badAnswer')}
                aria-pressed={feedback === 'negative'}
                onClick={() => void rate('negative')}
              >
                <DislikeIcon />
              </IconButton>
            </>
          )}
          {actions?.retry && question !== null && (
            <IconButton
              small
              label={say('anotherAnswer')}
              disabled={isResponding}
              onClick={() => void chat.retry(question)}
            >
              <RetryIcon />
            </IconButton>
          )}
        </div>
      )}
    </div>
  )
}

interface Source {
  title: string
  url: string | null
}

function sourcesOf(annotations: readonly Annotation[]): Source[] {
  const found = new Map<string, Source>()
  for (const { source } of annotations) {
    const url = source.type === 'url' && /^https?:/i.test(source.url) ? source.url : null
    found.set(url ?? source.title, { title: source.title, url })
  }
  return [...found.values()]
}

function Sources({ sources }: { sources: readonly Source[] }) {
  const text = useText()
  return (
    <ul className="sources" aria-label={text('sources')}>
      {sources.map(({ title, url }) => (
        <li key={url ?? title}>
          {url === null ? (
            <span className="source">{title}</span>
          ) : (
            <a className="source" href={url} target="_blank" rel="noopener noreferrer">
              {title}
            </a>
          )}
        </li>
      ))}
    </ul>
  )
}
