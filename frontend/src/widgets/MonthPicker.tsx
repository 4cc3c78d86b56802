import { ChevronLeft, ChevronRight } from '@openai/apps-sdk-ui/components/Icon'
import { useMemo, type ReactNode } from 'react'

import { useLocale } from '../ui/context'
import { addMonths, dayOf, monthOf, partsOf, say } from './dates'

interface MonthPickerProps {
  /** A day of the month. */
  active: number
  min: number
  max: number
  onGo: (day: number) => void
}

/** The number of years listed before and after the shown one. */
const YEARS = 100

/** The controls that change the month and the year of a calendar. */
export function MonthPicker({ active, min, max, onGo }: MonthPickerProps) {
  const locale = useLocale()
  const names = useMemo(() => namesOf(locale), [locale])
  const { year, month } = partsOf(active)
  const { first, last } = monthOf(active)
  const years = range(
    Math.max(partsOf(min).year, year - YEARS),
    Math.min(partsOf(max).year, year + YEARS),
  )
  const months = range(0, 11).filter(
    (each) => dayOf(year, each + 1, 0) >= min && dayOf(year, each, 1) <= max,
  )
  return (
    <div className="widget-month">
      <MonthButton
        day={addMonths(first, -1)}
        isOut={first <= min}
        onClick={() => onGo(addMonths(active, -1))}
      >
        <ChevronLeft />
      </MonthButton>
      <select
        aria-label={names.month}
        value={month}
        onChange={(event) => onGo(addMonths(active, Number(event.target.value) - month))}
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
        onChange={(event) => onGo(addMonths(active, (Number(event.target.value) - year) * 12))}
      >
        {years.map((each) => (
          <option key={each} value={each}>
            {say(locale, dayOf(each, 0, 1), { year: 'numeric' })}
          </option>
        ))}
      </select>
      <MonthButton
        day={addMonths(first, 1)}
        isOut={last >= max}
        onClick={() => onGo(addMonths(active, 1))}
      >
        <ChevronRight />
      </MonthButton>
    </div>
  )
}

interface MonthButtonProps {
  /** A day of the month that the button leads to. */
  day: number
  /** Whether no day of that month can be chosen. */
  isOut: boolean
  onClick: () => void
  children: ReactNode
}

function MonthButton({ day, isOut, onClick, children }: MonthButtonProps) {
  const locale = useLocale()
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={say(locale, day, { month: 'long', year: 'numeric' })}
      aria-disabled={isOut}
      onClick={() => isOut || onClick()}
    >
      {children}
    </button>
  )
}

function namesOf(locale: string): { month: string; year: string } {
  const names = new Intl.DisplayNames(locale, { type: 'dateTimeField' })
  return { month: names.of('month') ?? '', year: names.of('year') ?? '' }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
