import { useMemo, useState } from 'react'

import type { AssistantMessageItem, UserMessageItem } from '../../protocol/types'
import { useChat, useText } from '../context'
import { IconButton } from '../IconButton'
import { DislikeIcon, LikeIcon, RetryIcon } from '../icons'
import { Markdown } from '../markdown/Markdown'
import { citedBy } from '../markdown/sources'
import { SourcesContext } from '../markdown/SourcesContext'
import { useStore } from '../store'
import { CopyButton } from './CopyButton'
import { Sources } from './Sources'

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
  const { sources, marks } = useMemo(
    () => citedBy(item.content.map((part) => part.annotations ?? [])),
    [item.content],
  )

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
      <h2 className="visually-hidden">{say('assistant')}</h2>
      <SourcesContext value={sources}>
        {item.content.map((part, index) => (
          <Markdown key={index} text={part.text} marks={marks[index] ?? []} isOpen={isOpen} />
        ))}
      </SourcesContext>
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
