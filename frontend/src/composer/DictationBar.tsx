import { useEffect, useRef, useState } from 'react'

import { useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { CheckIcon, CloseIcon } from '../ui/icons'
import type { Recording } from './recorder'
import type { Dictating } from './useDictation'

/** The number of sound levels shown, and the milliseconds between them. */
const LEVELS = 48
const STEP = 100

/** Shows the recording, with buttons to end it, in place of the composer's buttons. */
export function DictationBar({ dictation, stop, cancel }: Dictating) {
  const text = useText()
  const stopButton = useRef<HTMLButtonElement>(null)
  const isRecording = dictation.state === 'recording'
  useEffect(() => {
    if (isRecording) stopButton.current?.focus()
  }, [isRecording])
  return (
    <div
      className="composer-bar"
      onKeyDown={(event) => {
        if (event.key === 'Escape') cancel()
      }}
    >
      <IconButton label={text('cancel')} onClick={cancel}>
        <CloseIcon />
      </IconButton>
      <span className={isRecording ? 'visually-hidden' : 'dictation-note'} role="status">
        {dictation.state === 'transcribing' && text('transcribing')}
        {isRecording && text('recording')}
      </span>
      {isRecording ? <Levels recording={dictation.recording} /> : <span className="spacer" />}
      {isRecording && (
        <button
          ref={stopButton}
          type="button"
          className="send"
          aria-label={text('stopDictation')}
          title={text('stopDictation')}
          onClick={stop}
        >
          <CheckIcon />
        </button>
      )}
    </div>
  )
}

/** The recent sound levels, and the length of the recording. */
function Levels({ recording }: { recording: Recording }) {
  const [levels, setLevels] = useState<readonly number[]>([])
  const [steps, setSteps] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => {
      setLevels((before) => [...before, recording.level()].slice(-LEVELS))
      setSteps((before) => before + 1)
    }, STEP)
    return () => clearInterval(timer)
  }, [recording])
  const seconds = Math.floor((steps * STEP) / 1000)
  return (
    <>
      <span className="levels" aria-hidden>
        {levels.map((level, index) => (
          <span key={index} style={{ blockSize: `${8 + level * 92}%` }} />
        ))}
      </span>
      <span className="dictation-time" aria-hidden>
        {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
      </span>
    </>
  )
}
