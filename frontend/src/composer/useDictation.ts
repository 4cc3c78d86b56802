import { useEffect, useRef, useState } from 'react'

import { ProtocolError } from '../protocol/client'
import type { Chat } from '../chat/chat'
import { base64Of, record, type Recording } from './recorder'

export type Dictation =
  | { state: 'off'; problem: string | null }
  | { state: 'asking' }
  | { state: 'recording'; recording: Recording }
  | { state: 'transcribing' }

export interface Dictating {
  dictation: Dictation
  start: () => void
  stop: () => void
  cancel: () => void
}

const off: Dictation = { state: 'off', problem: null }

/** Records speech and has the server transcribe it. */
export function useDictation(chat: Chat, onText: (text: string) => void): Dictating {
  const [dictation, setDictation] = useState(off)
  /** The current step; results of earlier steps are dropped. */
  const current = useRef<AbortController>(null)
  const recording = useRef<Recording>(null)
  const say = chat.texts.say

  const begin = (): AbortSignal => {
    current.current?.abort()
    return (current.current = new AbortController()).signal
  }
  const cancel = (): void => {
    begin()
    recording.current?.cancel()
    recording.current = null
    setDictation(off)
  }
  const start = async (): Promise<void> => {
    const signal = begin()
    setDictation({ state: 'asking' })
    try {
      const begun = await record()
      if (signal.aborted) {
        begun.cancel()
        return
      }
      recording.current = begun
      setDictation({ state: 'recording', recording: begun })
    } catch (error) {
      console.warn('The microphone cannot be used.', error)
      if (!signal.aborted) setDictation({ state: 'off', problem: say('microphoneRefused') })
    }
  }
  const stop = async (): Promise<void> => {
    const signal = begin()
    const heard = recording.current?.stop()
    recording.current = null
    setDictation({ state: 'transcribing' })
    try {
      const blob = (await heard) ?? null
      const text = blob === null ? '' : await transcribed(chat, blob, signal)
      if (signal.aborted) return
      setDictation({ state: 'off', problem: text === '' ? say('nothingHeard') : null })
      if (text !== '') onText(text)
    } catch (error) {
      if (signal.aborted) return
      console.warn('The dictation failed.', error)
      const reason = error instanceof ProtocolError ? (error.reason ?? '') : ''
      setDictation({ state: 'off', problem: `${say('notTranscribed')} ${reason}`.trim() })
    }
  }

  // Stop recording when the user leaves.
  useEffect(
    () => () => {
      current.current?.abort()
      recording.current?.cancel()
    },
    [],
  )
  return { dictation, start: () => void start(), stop: () => void stop(), cancel }
}

async function transcribed(chat: Chat, blob: Blob, signal: AbortSignal): Promise<string> {
  const params = { audio_base64: await base64Of(blob), mime_type: blob.type }
  const result = await chat.client?.request('input.transcribe', params, { signal })
  return typeof result?.text === 'string' ? result.text.trim() : ''
}
