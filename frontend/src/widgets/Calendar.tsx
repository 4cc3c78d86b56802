import { useState } from 'react'

import { today } from './dates'
import { MonthDays } from './MonthDays'
import { MonthPicker } from './MonthPicker'

interface CalendarProps {
  /** The chosen day. */
  day: number | null
  min: number
  max: number
  onChoose: (day: number) => void
}

/** A month from which the user chooses a day. */
export default function Calendar({ day, min, max, onChoose }: CalendarProps) {
  const within = (wanted: number): number => Math.min(max, Math.max(min, wanted))
  const [active, setActive] = useState(() => within(day ?? today()))
  const go = (wanted: number): void => setActive(within(wanted))
  return (
    <div className="widget-calendar">
      <MonthPicker active={active} min={min} max={max} onGo={go} />
      <MonthDays chosen={day} active={active} min={min} max={max} onGo={go} onChoose={onChoose} />
    </div>
  )
}
