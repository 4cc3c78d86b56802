import { useRef } from 'react'

/** The most milliseconds between two letters of one word. */
const PAUSE = 600

interface Typeahead {
  /** Whether another letter would continue a word. */
  isTyping: () => boolean
  /** Add a letter, and return the word so far. */
  add: (letter: string) => string
}

/** Collect the letters that the user types in a list without a search field. */
export function useTypeahead(): Typeahead {
  const typed = useRef({ word: '', at: 0 })
  const isTyping = (): boolean => typed.current.word !== '' && Date.now() - typed.current.at < PAUSE
  return {
    isTyping,
    add(letter) {
      const word = isTyping() ? typed.current.word + letter : letter
      typed.current = { word, at: Date.now() }
      return word
    },
  }
}
