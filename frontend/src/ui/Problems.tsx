import { useState } from 'react'

import { useChat, useText } from './context'
import { CloseIcon } from './icons'
import { IconButton } from './IconButton'
import { Note } from './Note'
import { parts } from '../chat/patiently'
import { useStore } from './useStore'

/** Shows that a part of the page is missing, or that options are invalid. */
export function Problems() {
  return (
    <>
      <MissingPart />
      <OptionProblems />
    </>
  )
}

function MissingPart() {
  const text = useText()
  const isMissing = useStore(parts, (state) => state.isMissing)
  if (!isMissing) return null
  return (
    <div className="column" role="alert">
      <Note
        level="warning"
        action={
          // The app's page has the file names, so reload it as a whole; drafts survive that.
          <button type="button" className="prompt" onClick={() => parent.location.reload()}>
            {text('reloadPage')}
          </button>
        }
      >
        {text('partMissing')}
      </Note>
    </div>
  )
}

/** The options that are invalid and ignored, for the page's developer. */
function OptionProblems() {
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
