import type { Command, CommandSelection } from '@openai/chatkit'
import type { Editor } from '@tiptap/core'
import { useEffect, useState, type RefObject } from 'react'

import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { noContent, tagOf, textContent, type Content } from '../chat/content'
import { insert } from './document'
import { useSigns, useSuggestions, type OwnCommand, type Suggestion } from './useSuggestions'
import { useTrigger, type Found } from './useTrigger'

const noCommands: readonly OwnCommand[] = []

const SPACE = { type: 'input_text', text: ' ' } as const

/** The menu of suggestions at the caret, and its keys. */
export function useMenu(
  editor: RefObject<Editor | null>,
  isFocused: boolean,
  commands: readonly OwnCommand[] | undefined,
) {
  const signs = useSigns(commands !== undefined)
  const search = useTrigger(editor, signs)
  const [menu, setMenu] = useState<readonly Command[] | null>(null)
  const trigger = isFocused ? search.trigger : null
  const open = useSuggestions(trigger, commands ?? noCommands, menu)
  const [pointed, setPointed] = useState<{ list: readonly Suggestion[]; index: number } | null>(
    null,
  )
  const active = pointed !== null && pointed.list === open?.list ? pointed.index : 0
  const setActive = (index: number): void => setPointed(open && { list: open.list, index })
  const choice = useChoice(editor, search, setMenu)
  const chosen = open?.list[active]

  const { found } = search
  const { setProblem } = choice
  useEffect(() => {
    if (found === null) setMenu(null)
    setProblem(null)
  }, [found, setProblem])

  /** Handle a key, and return whether it was for the menu. */
  const onKey = ({ key, shiftKey }: KeyboardEvent): boolean => {
    if (open === null) return false
    const count = open.list.length
    if (key === 'Escape') search.dismiss()
    else if (choice.isWorking) return key === 'Enter' || key === 'Tab'
    else if (key === 'ArrowDown' && count > 0) setActive((active + 1) % count)
    else if (key === 'ArrowUp' && count > 0) setActive((active - 1 + count) % count)
    else if ((key === 'Enter' || key === 'Tab') && !shiftKey && chosen) void choice.choose(chosen)
    // Enter during a search must not send an incomplete name.
    else if (key !== 'Enter' || shiftKey || open.status !== 'searching') return false
    return true
  }
  return {
    ...choice,
    open,
    hasSigns: signs.length > 0,
    /** The index of the suggestion that Enter chooses. */
    active: chosen === undefined || open === null ? -1 : open.list.indexOf(chosen),
    setActive,
    onKey,
    look: search.look,
    withdraw: search.withdraw,
    offer: search.offer,
  }
}

/** Applies the chosen suggestion. */
function useChoice(
  editor: RefObject<Editor | null>,
  search: { trigger: Found | null; now: () => Found | null },
  setMenu: (menu: readonly Command[]) => void,
) {
  const chat = useChat()
  const text = useText()
  const onSelect = useStore(chat.state, ({ options }) => options?.commands?.onSelect)
  const [isWorking, setWorking] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)

  const selectionOf = async ({
    entity,
    command,
  }: Suggestion): Promise<CommandSelection | undefined> => {
    if (entity !== undefined) return { type: 'entity', entity }
    if (command === undefined) return undefined
    setWorking(true)
    try {
      return (await onSelect?.(command)) ?? undefined
    } finally {
      setWorking(false)
    }
  }
  const choose = async (suggestion: Suggestion): Promise<void> => {
    const { current } = editor
    if (current === null || search.trigger === null) return
    const { from } = search.trigger
    /** Replace the search text with content, if it is still there. */
    const put = (content: Content): void => {
      const now = search.now()
      const range = now?.from === from ? { from, to: from + now.length } : undefined
      if (range !== undefined || content.length > 0) insert(current, content, range)
    }
    let selection: CommandSelection | undefined
    try {
      selection = await selectionOf(suggestion)
    } catch (error) {
      console.warn('A command failed.', error)
      setProblem(text('actionFailed'))
      return
    }
    if (editor.current !== current) return
    if (selection?.type === 'menu') {
      put(textContent('/'))
      setMenu(selection.commands)
      return
    }
    put(selection === undefined ? noContent : [tagOf(selection.entity), SPACE])
    suggestion.run?.()
  }
  return { choose, isWorking, problem, setProblem }
}
