import { useEffect, useId, useRef, type KeyboardEvent } from 'react'
import { flushSync } from 'react-dom'

import { directionOf } from '../i18n/texts'
import { useLocale } from '../ui/context'
import { addMonths, monthOf, partsOf, say, today, weeksOf, weekStart } from './dates'

interface MonthDaysProps {
  chosen: number | null
  /** The day that has the focus, or gets it with Tab. */
  active: number
  min: number
  max: number
  onGo: (day: number) => void
  onChoose: (day: number) => void
}

/** The days of a month, week by week. */
export function MonthDays({ chosen, active, min, max, onGo, onChoose }: MonthDaysProps) {
  const locale = useLocale()
  const title = useId()
  const table = useRef<HTMLTableElement>(null)
  useEffect(() => focusActive(table.current), [])

  const { first, last } = monthOf(active)
  const weeks = weeksOf(active, weekStart(locale))
  const onKeyDown = (event: KeyboardEvent): void => {
    const wanted = dayByKey(event, active, locale)
    if (wanted === null) return
    event.preventDefault()
    // Render at once, so that the day can take the focus.
    flushSync(() => onGo(wanted))
    focusActive(table.current)
  }
  return (
    <>
      <span id={title} className="visually-hidden" aria-live="polite">
        {say(locale, first, { month: 'long', year: 'numeric' })}
      </span>
      <table ref={table} role="grid" aria-labelledby={title} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {(weeks[1] ?? []).map((day) => (
              <th key={day} scope="col" abbr={say(locale, day, { weekday: 'long' })}>
                {say(locale, day, { weekday: 'narrow' })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]}>
              {week.map((day) =>
                day < first || day > last ? (
                  <td key={day} />
                ) : (
                  <td key={day} role="gridcell" aria-selected={day === chosen}>
                    <Day
                      day={day}
                      isActive={day === active}
                      isOut={day < min || day > max}
                      onChoose={onChoose}
                    />
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

interface DayProps {
  day: number
  isActive: boolean
  /** Whether the day cannot be chosen. */
  isOut: boolean
  onChoose: (day: number) => void
}

function Day({ day, isActive, isOut, onChoose }: DayProps) {
  const locale = useLocale()
  return (
    <button
      type="button"
      tabIndex={isActive ? 0 : -1}
      aria-label={say(locale, day, { dateStyle: 'full' })}
      aria-current={day === today() ? 'date' : undefined}
      aria-disabled={isOut || undefined}
      onClick={() => isOut || onChoose(day)}
    >
      {say(locale, day, { day: 'numeric' })}
    </button>
  )
}

/** Return the day that a key moves to, or `null` for other keys. */
function dayByKey(event: KeyboardEvent, from: number, locale: string): number | null {
  const forward = directionOf(locale) === 'rtl' ? -1 : 1
  const column = (partsOf(from).weekday - weekStart(locale) + 7) % 7
  switch (event.key) {
    case 'ArrowLeft':
      return from - forward
    case 'ArrowRight':
      return from + forward
    case 'ArrowUp':
      return from - 7
    case 'ArrowDown':
      return from + 7
    case 'Home':
      return from - column
    case 'End':
      return from - column + 6
    case 'PageUp':
      return addMonths(from, event.shiftKey ? -12 : -1)
    case 'PageDown':
      return addMonths(from, event.shiftKey ? 12 : 1)
    default:
      return null
  }
}

function focusActive(table: HTMLElement | null): void {
  table?.querySelector<HTMLElement>('[tabindex="0"]')?.focus()
}
