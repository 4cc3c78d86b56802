import { useState } from 'react'

import { useChat, useText } from './context'
import { CloseIcon } from './icons'
import { IconButton } from './IconButton'
import { useStore } from './useStore'

/** The options that are invalid and ignored, for the page's developer. */
export function Problems() {
  const chat = useChat()
  const text = useText()
  const problems = useStore(chat.state, (state) => state.problems)
  const [seen, setSeen] = useState<readonly string[]>([])
  const shown = problems.filter((problem) => !seen.includes(problem))
  if (shown.length === 0) return null
  return (
    <div className="column">
      <div className="note danger" role="alert">
        <span>
          {shown.map((problem) => (
            <span key={problem} className="option-problem">
              {problem}
            </span>
          ))}
        </span>
        <IconButton small label={text('close')} onClick={() => setSeen(problems)}>
          <CloseIcon />
        </IconButton>
      </div>
    </div>
  )
}
