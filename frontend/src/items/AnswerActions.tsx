import { useState } from 'react'

import type { AssistantMessageItem, UserMessageItem } from '../protocol/types'
import { announce } from '../chat/announce'
import type { Rating } from '../chat/ratings'
import { useChat, useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { MessageTime } from '../ui/MessageTime'
import { DislikedIcon, DislikeIcon, LikedIcon, LikeIcon, RetryIcon } from '../ui/icons'
import { useStore } from '../ui/useStore'
import { CopyButton } from '../ui/CopyButton'
import { answerOf, textOfAnswer } from './turn'

interface AnswerActionsProps {
  /** The ID of the answer's last message. */
  endId: string
  question: UserMessageItem | null
}

/** The buttons below a finished answer: copy, rate and try again. */
export function AnswerActions({ endId, question }: AnswerActionsProps) {
  const chat = useChat()
  const text = useText()
  const actions = useStore(chat.state, (state) => state.options?.threadItemActions)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const messages = (): AssistantMessageItem[] => answerOf(chat.state.get().thread.items, endId)
  const rating = useStore(chat.ratings.state, ({ byItem }) => byItem.get(endId) ?? null)
  const [hasFailed, setFailed] = useState(false)

  const rate = async (kind: Rating): Promise<void> => {
    if (kind === rating) return
    chat.ratings.set(endId, kind)
    setFailed(false)
    const itemIds = messages().map((message) => message.id)
    try {
      await chat.giveFeedback(itemIds, kind)
      announce(text('thanks'))
    } catch {
      chat.ratings.set(endId, rating)
      setFailed(true)
    }
  }
  return (
    <div className="actions" data-rated={rating !== null || hasFailed || undefined}>
      <CopyButton textOf={() => textOfAnswer(messages())} />
      {actions?.feedback && <RatingButtons rating={rating} onRate={(kind) => void rate(kind)} />}
      {actions?.retry && question !== null && (
        <IconButton
          small
          label={text('anotherAnswer')}
          disabled={isResponding}
          onClick={() => void chat.retry(question)}
        >
          <RetryIcon />
        </IconButton>
      )}
      <MessageTime at={messages().at(-1)?.created_at} />
      {hasFailed && (
        <span className="caption" role="alert">
          {text('actionFailed')}
        </span>
      )}
    </div>
  )
}

interface RatingButtonsProps {
  rating: Rating | null
  onRate: (rating: Rating) => void
}

function RatingButtons({ rating, onRate }: RatingButtonsProps) {
  const text = useText()
  return (
    <>
      <IconButton
        small
        label={text('goodAnswer')}
        aria-pressed={rating === 'positive'}
        onClick={() => onRate('positive')}
      >
        {rating === 'positive' ? <LikedIcon /> : <LikeIcon />}
      </IconButton>
      <IconButton
        small
        label={text('badAnswer')}
        aria-pressed={rating === 'negative'}
        onClick={() => onRate('negative')}
      >
        {rating === 'negative' ? <DislikedIcon /> : <DislikeIcon />}
      </IconButton>
    </>
  )
}
