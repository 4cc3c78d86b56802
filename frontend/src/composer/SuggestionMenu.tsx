import { type RefObject, useLayoutEffect, useRef, useState } from 'react'

import { useText } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import type { Suggestion, Suggestions } from './useSuggestions'

interface SuggestionMenuProps {
  id: string
  suggestions: Suggestions
  /** The error message if the chosen command failed. */
  problem: string | null
  /** Whether the chosen command is still running. */
  isWorking: boolean
  /** The index of the suggestion that Enter chooses. */
  active: number
  onPoint: (index: number) => void
  onChoose: (suggestion: Suggestion) => void
}

/** The space between the menu and the edge of the page, in pixels. */
const MARGIN = 12

/** The suggestions for the text at the caret. The editor handles the keys that move in the menu. */
export function SuggestionMenu(props: SuggestionMenuProps) {
  const { id, suggestions, problem, isWorking, active, onPoint, onChoose } = props
  const { list, status, sign } = suggestions
  const text = useText()
  const menu = useRef<HTMLDivElement>(null)
  const listbox = useRef<HTMLDivElement>(null)
  const place = usePlace(menu)
  useShownOption(listbox, active, list[active])

  const note = isWorking
    ? text('loading')
    : (problem ??
      {
        searching: text('searching'),
        failed: text('searchFailed'),
        nothing: text('nothingFound'),
        found: '',
      }[status])
  const groups = [...new Set(list.map(({ group }) => group))]
  return (
    <div
      ref={menu}
      className={place.isBelow ? 'suggestions below' : 'suggestions'}
      style={{ maxHeight: place.room }}
      // Keep the caret where it is.
      onMouseDown={(event) => event.preventDefault()}
    >
      <p className={note === '' ? 'visually-hidden' : 'suggestions-note'} role="status">
        {note}
      </p>
      {list.length > 0 && (
        <div
          ref={listbox}
          id={id}
          role="listbox"
          aria-label={text(sign === '@' ? 'suggestions' : 'commands')}
          // For screen readers; the Tab key chooses an option.
          tabIndex={0}
        >
          {groups.map((group) => {
            const options = list
              .map((each, index) => ({ each, index }))
              .filter(({ each }) => each.group === group)
            const drawn = options.map(({ each, index }) => (
              <Option
                key={index}
                id={`${id}-${index}`}
                suggestion={each}
                isActive={index === active}
                onPoint={() => onPoint(index)}
                onChoose={() => onChoose(each)}
              />
            ))
            if (group === undefined || group === '') return drawn
            return (
              <div key={group} role="group" aria-label={group}>
                <div className="suggestions-group" aria-hidden>
                  {group}
                </div>
                {drawn}
              </div>
            )
          })}
        </div>
      )}
    </div>
  )
}

/** Return where the menu fits: above the text or below it. */
function usePlace(menu: RefObject<HTMLElement | null>): { isBelow: boolean; room: number } {
  const [place, setPlace] = useState({ isBelow: false, room: 320 })
  useLayoutEffect(() => {
    const anchor = menu.current?.parentElement?.getBoundingClientRect()
    if (anchor === undefined) return
    const above = anchor.top - MARGIN
    const below = innerHeight - anchor.bottom - MARGIN
    const isBelow = above < 160 && below > above
    setPlace({ isBelow, room: Math.min(320, isBelow ? below : above) })
  }, [menu])
  return place
}

/** Scroll only the list to the active option; `scrollIntoView` would scroll the thread, too. */
function useShownOption(
  listbox: RefObject<HTMLElement | null>,
  active: number,
  suggestion: Suggestion | undefined,
): void {
  useLayoutEffect(() => {
    const option = listbox.current?.querySelectorAll<HTMLElement>('[role=option]')[active]
    if (listbox.current === null || !option || suggestion === undefined) return
    const { scrollTop, clientHeight } = listbox.current
    const { offsetTop, offsetHeight } = option
    if (offsetTop < scrollTop) listbox.current.scrollTop = offsetTop - MARGIN
    else if (offsetTop + offsetHeight > scrollTop + clientHeight) {
      listbox.current.scrollTop = offsetTop + offsetHeight - clientHeight + MARGIN
    }
  }, [listbox, active, suggestion])
}

interface OptionProps {
  id: string
  suggestion: Suggestion
  isActive: boolean
  onPoint: () => void
  onChoose: () => void
}

function Option({ id, suggestion, isActive, onPoint, onChoose }: OptionProps) {
  const { label, description, icon } = suggestion
  return (
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      className="suggestion"
      onMouseMove={onPoint}
      onClick={onChoose}
    >
      {icon !== undefined && <NamedIcon name={icon} />}
      <span className="suggestion-label">{label}</span>
      {description && <span className="suggestion-more">{description}</span>}
    </div>
  )
}
