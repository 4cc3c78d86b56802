import { ChevronLeft, ChevronRight } from '@openai/apps-sdk-ui/components/Icon'
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react'

import { useLocale } from '../ui/context'
import { directionOf } from '../i18n/texts'
import { addMonths, dayOf, partsOf, say, today, weekStart } from './dates'

interface CalendarProps {
  /** The chosen day. */
  day: number | null
  min: number
  max: number
  onChoose: (day: number) => void
}

/** How many years before and after the one in sight can be gone to at once. */
const YEARS = 100

/** A month, of which one day is chosen. */
export default function Calendar({ day, min, max, onChoose }: CalendarProps) {
  const locale = useLocale()
  const title = useId()
  const within = (wanted: number): number => Math.min(max, Math.max(min, wanted))
  const [active, setActive] = useState(() => within(day ?? today()))
  const grid = useRef<HTMLTableElement>(null)
  const isByKey = useRef(true)

  // The day that the arrow keys go to has the focus, from the first on.
  useEffect(() => {
    if (isByKey.current) grid.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus()
    isByKey.current = false
  }, [active])

  const { year, month } = partsOf(active)
  const first = dayOf(year, month, 1)
  const last = dayOf(year, month + 1, 0)
  const start = weekStart(locale)
  const before = (partsOf(first).weekday - start + 7) % 7
  const weeks = Array.from({ length: Math.ceil((before + last - first + 1) / 7) }, (_, week) =>
    Array.from({ length: 7 }, (_, index) => first - before + week * 7 + index),
  )
  const names = useMemo(() => namesOf(locale), [locale])

  const go = (wanted: number): void => setActive(within(wanted))
  const onKeyDown = (event: KeyboardEvent): void => {
    const forward = directionOf(locale) === 'rtl' ? -1 : 1
    const column = (partsOf(active).weekday - start + 7) % 7
    const steps: Record<string, number> = {
      ArrowLeft: active - forward,
      ArrowRight: active + forward,
      ArrowUp: active - 7,
      ArrowDown: active + 7,
      Home: active - column,
      End: active - column + 6,
      PageUp: addMonths(active, event.shiftKey ? -12 : -1),
      PageDown: addMonths(active, event.shiftKey ? 12 : 1),
    }
    const wanted = steps[event.key]
    if (wanted === undefined) return
    event.preventDefault()
    isByKey.current = true
    go(wanted)
  }

  const { year: minYear } = partsOf(min)
  const { year: maxYear } = partsOf(max)
  const years = range(Math.max(minYear, year - YEARS), Math.min(maxYear, year + YEARS))
  const months = range(0, 11).filter(
    (each) => dayOf(year, each + 1, 0) >= min && dayOf(year, each, 1) <= max,
  )
  const move = (count: number) => {
    const target = addMonths(first, count)
    const isOut = count < 0 ? first <= min : last >= max
    return {
      type: 'button',
      className: 'icon-button',
      'aria-label': say(locale, target, { month: 'long', year: 'numeric' }),
      'aria-disabled': isOut,
      onClick: () => isOut || go(addMonths(active, count)),
    } as const
  }
  return (
    <div className="widget-calendar">
      <div className="widget-month">
        <button {...move(-1)}>
          <ChevronLeft />
        </button>
        <span id={title} className="visually-hidden" aria-live="polite">
          {say(locale, first, { month: 'long', year: 'numeric' })}
        </span>
        <select
          aria-label={names.month}
          value={month}
          onChange={(event) => go(addMonths(active, Number(event.target.value) - month))}
        >
          {months.map((each) => (
            <option key={each} value={each}>
              {say(locale, dayOf(year, each, 1), { month: 'long' })}
            </option>
          ))}
        </select>
        <select
          aria-label={names.year}
          value={year}
          onChange={(event) => go(addMonths(active, (Number(event.target.value) - year) * 12))}
        >
          {years.map((each) => (
            <option key={each} value={each}>
              {say(locale, dayOf(each, 0, 1), { year: 'numeric' })}
            </option>
          ))}
        </select>
        <button {...move(1)}>
          <ChevronRight />
        </button>
      </div>
      <table ref={grid} role="grid" aria-labelledby={title} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {(weeks[1] ?? []).map((each) => (
              <th key={each} scope="col" abbr={say(locale, each, { weekday: 'long' })}>
                {say(locale, each, { weekday: 'narrow' })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]}>
              {week.map((each) => {
                if (each < first || each > last) return <td key={each} />
                const isOut = each < min || each > max
                return (
                  <td key={each} role="gridcell" aria-selected={each === day}>
                    <button
                      type="button"
                      tabIndex={each === active ? 0 : -1}
                      aria-label={say(locale, each, { dateStyle: 'full' })}
                      aria-current={each === today() ? 'date' : undefined}
                      aria-disabled={isOut || undefined}
                      onClick={() => isOut || onChoose(each)}
                    >
                      {say(locale, each, { day: 'numeric' })}
                    </button>
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function namesOf(locale: string): { month: string; year: string } {
  const names = new Intl.DisplayNames(locale, { type: 'dateTimeField' })
  return { month: names.of('month') ?? '', year: names.of('year') ?? '' }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
