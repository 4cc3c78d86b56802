import type { KeyboardEvent } from 'react'

import { isOfInputMethod } from '../ui/isOfInputMethod'
import { firstOf, nextOf, startingWith } from './optionSearch'
import type { OptionList } from './useOptionList'
import { useTypeahead } from './useTypeahead'
import type { Option } from './values'

/** The number of options that Page Up and Page Down skip. */
const JUMP = 10

interface OptionKeys {
  options: readonly Option[]
  list: OptionList
  chosen: Option | null
  onChoose: (option: Option | undefined) => void
  /** Close the list, and focus the control. */
  onClose: () => void
}

/** Move through options, choose one, and open and close the list by keyboard. */
export function useOptionKeys({ options, list, chosen, onChoose, onClose }: OptionKeys) {
  const typeahead = useTypeahead()
  const { isOpen, shown, active } = list

  const moveToWord = (word: string): void => {
    const from = isOpen ? active : chosen === null ? -1 : options.indexOf(chosen)
    const index = startingWith(options, word, from)
    if (!isOpen) list.open(index < 0 ? undefined : index)
    else if (index >= 0) list.setActive(index)
  }
  /** Handle a key, and return whether it has a meaning here. */
  const press = (key: string, isSearch: boolean): boolean => {
    const target = targetOf(key, shown, active, isSearch)
    if (target !== null) {
      if (isOpen) list.setActive(target)
      else list.open()
    } else if (!isSearch && key.length === 1 && (key !== ' ' || typeahead.isTyping())) {
      moveToWord(typeahead.add(key))
    } else if (key === 'Enter' || (key === ' ' && !isSearch)) {
      if (isOpen) onChoose(shown[active])
      else list.open()
    } else if (key === 'Escape' && isOpen) {
      onClose()
    } else {
      if (key === 'Tab') list.close()
      return false
    }
    return true
  }
  /** Handle a key of the control, or of the search field in the list. */
  return (event: KeyboardEvent, isSearch: boolean): void => {
    if (isOfInputMethod(event.nativeEvent)) return
    if (event.altKey || event.ctrlKey || event.metaKey) return
    if (!press(event.key, isSearch)) return
    event.preventDefault()
    event.stopPropagation()
  }
}

/** Return the index of the option that a key moves to, or `null` for other keys. */
function targetOf(
  key: string,
  shown: readonly Option[],
  active: number,
  isSearch: boolean,
): number | null {
  switch (key) {
    case 'ArrowDown':
      return nextOf(shown, active, 1)
    case 'ArrowUp':
      return nextOf(shown, active, -1)
    case 'PageDown':
      return nextOf(shown, Math.min(active + JUMP - 1, shown.length - 2), 1)
    case 'PageUp':
      return nextOf(shown, Math.max(active - JUMP + 1, 1), -1)
    case 'Home':
      return isSearch ? null : firstOf(shown)
    case 'End':
      return isSearch ? null : nextOf(shown, shown.length, -1)
    default:
      return null
  }
}
