import type { Editor } from '@tiptap/core'
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react'

import { TAG } from '../chat/content'
import { triggerIn, type Trigger } from './trigger'

export interface Found extends Trigger {
  /** The position of the sign in the document. */
  from: number
}

/** Finds the sign before the caret that starts a search. */
export function useTrigger(editor: RefObject<Editor | null>, signs: readonly Trigger['sign'][]) {
  const [found, setFound] = useState<Found | null>(null)
  const [dismissed, setDismissed] = useState<number | null>(null)
  /** Where the button for tags inserted its sign, which is removed if it is not used. */
  const offered = useRef<number | null>(null)
  const now = useCallback(
    () => (editor.current === null ? null : triggerBefore(editor.current, signs)),
    [editor, signs],
  )
  const look = useCallback((): void => {
    const next = now()
    setFound((before) => (isSame(before, next) ? before : next))
    if (next === null) setDismissed(null)
  }, [now])
  useEffect(look, [look])
  const withdraw = (): void => {
    const last = now()
    if (last !== null && last.from === offered.current && last.query === '') {
      editor.current?.commands.deleteRange({ from: last.from, to: last.from + last.length })
    }
    offered.current = null
  }
  return {
    found,
    /** The search that was found, unless the user closed its menu. */
    trigger: found?.from === dismissed ? null : found,
    /** Returns the search before the caret at this moment. */
    now,
    look,
    withdraw,
    dismiss: () => {
      setDismissed(found?.from ?? null)
      withdraw()
    },
    /** Mark the sign before the caret as inserted by the button for tags. */
    offer: () => {
      setDismissed(null)
      offered.current = (editor.current?.state.selection.from ?? 0) - 1
    },
  }
}

function isSame(one: Found | null, other: Found | null): boolean {
  return one?.from === other?.from && one?.sign === other?.sign && one?.query === other?.query
}

function triggerBefore(editor: Editor, signs: readonly Trigger['sign'][]): Found | null {
  const { empty, $from } = editor.state.selection
  if (!empty || signs.length === 0) return null
  // Searches are shorter than this.
  const start = Math.max(0, $from.parentOffset - 100)
  const before = $from.parent.textBetween(start, $from.parentOffset, '\n', TAG)
  const found = triggerIn(before, signs)
  return found && { ...found, from: $from.pos - found.length }
}
