import { Calendar as CalendarIcon } from '@openai/apps-sdk-ui/components/Icon'
import { lazy, Suspense, useId, useState } from 'react'

import { useLocale, useText } from '../ui/context'
import { patiently } from '../chat/patiently'
import type { ComponentProps } from './Component'
import { useChange } from './widgetActions'
import { FIRST, isoOf, LAST, parseDay, say } from './dates'
import { Field } from './Field'
import { useField } from './forms'
import { Picker } from './Picker'
import { isTrue, nameOf, textOf, titleOf } from './values'

const Calendar = lazy(() => patiently(() => import('./Calendar')))

/** The keys that open the calendar. */
const OPENERS = ['Enter', ' ', 'ArrowDown', 'ArrowUp']

export function DatePicker({ widget }: ComponentProps) {
  const text = useText()
  const locale = useLocale()
  const popupId = useId()
  const [isOpen, setOpen] = useState(false)
  const { sendChange, isPending, failure } = useChange(widget)
  const isDisabled = isTrue(widget['disabled'])
  const given = textOf(widget['defaultValue'])
  const field = useField<string>(
    {
      name: nameOf(widget),
      initial: parseDay(given) === null ? '' : given,
      isDisabled,
      isRequired: isTrue(widget['required']),
      isChoice: true,
    },
    titleOf(widget),
  )
  const day = parseDay(field.value)
  const choose = (chosen: number): void => {
    setOpen(false)
    document.getElementById(field.id)?.focus()
    if (chosen === day) return
    field.set(isoOf(chosen))
    sendChange(isoOf(chosen))
  }
  return (
    <Field field={field} isBlock={isTrue(widget['block'])} isPending={isPending} failure={failure}>
      <Picker
        widget={widget}
        field={field}
        isDisabled={isDisabled}
        isPending={isPending}
        chosen={day === null ? null : say(locale, day, { dateStyle: 'medium' })}
        placeholder={textOf(widget['placeholder']) || text('chooseDate')}
        StartIcon={CalendarIcon}
        isOpen={isOpen}
        onOpenChange={setOpen}
        onKeyDown={(event) => {
          if (!OPENERS.includes(event.key)) return
          event.preventDefault()
          event.stopPropagation()
          setOpen(true)
        }}
        onClear={() => {
          field.set('')
          sendChange(null)
        }}
        popup={{ id: popupId, role: 'dialog' }}
      >
        <Suspense fallback={<div className="widget-calendar" />}>
          <Calendar day={day} {...limitsOf(widget['min'], widget['max'])} onChoose={choose} />
        </Suspense>
      </Picker>
    </Field>
  )
}

/** Return the first and the last day that can be chosen; all days if none would be left. */
function limitsOf(first: unknown, last: unknown): { min: number; max: number } {
  const min = parseDay(first) ?? FIRST
  const max = parseDay(last) ?? LAST
  return min <= max ? { min, max } : { min: FIRST, max: LAST }
}
