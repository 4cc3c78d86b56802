import { useMemo } from 'react'

import { useText } from '../ui/context'
import type { ComponentProps } from './Component'
import { useChange } from './widgetActions'
import { Field } from './Field'
import { useField } from './forms'
import { OptionItems } from './OptionItems'
import { OptionSearchField } from './OptionSearchField'
import { named, Picker } from './Picker'
import { useOptionKeys } from './useOptionKeys'
import { PAGE, useOptionList } from './useOptionList'
import { isTrue, nameOf, optionsOf, textOf, titleOf, type Option } from './values'

/** A list with more options than this has a search field, unless the widget says otherwise. */
const MANY = 15

/**
 * A list of options that opens.
 *
 * Radix's own `Select` does not fit: it has no search, renders all options at once, and throws an
 * error for an option with an empty value.
 */
export function Select({ widget }: ComponentProps) {
  const text = useText()
  const options = useMemo(() => optionsOf(widget['options']), [widget])
  const isDisabled = isTrue(widget['disabled']) || options.length === 0
  const isChoice = options.every((option) => option.value !== '')
  const given = textOf(widget['defaultValue'])
  const field = useField<string>(
    {
      name: nameOf(widget),
      initial: options.some((option) => option.value === given) ? given : '',
      isDisabled,
      isRequired: isTrue(widget['required']),
      isChoice,
    },
    titleOf(widget),
  )
  const { sendChange, isPending, failure } = useChange(widget)
  const chosen = options.find((option) => option.value === field.value) ?? null
  const list = useOptionList(options, chosen)

  const close = (): void => {
    list.close()
    document.getElementById(field.id)?.focus()
  }
  const choose = (option: Option | undefined): void => {
    if (option === undefined || option.isDisabled) return
    close()
    if (option === chosen) return
    field.set(option.value)
    sendChange(option.value)
  }
  const clear = (): void => {
    field.set('')
    sendChange(isChoice ? null : '')
  }
  const onKeyDown = useOptionKeys({ options, list, chosen, onChoose: choose, onClose: close })
  return (
    <Field field={field} isBlock={isTrue(widget['block'])} isPending={isPending} failure={failure}>
      <Picker
        widget={widget}
        field={field}
        isDisabled={isDisabled}
        isPending={isPending}
        chosen={chosen?.label ?? null}
        placeholder={textOf(widget['placeholder']) || text('choose')}
        isOpen={list.isOpen}
        onOpenChange={(isWanted) => (isWanted ? list.open() : list.close())}
        onKeyDown={(event) => onKeyDown(event, false)}
        onClear={clear}
        popup={{ id: list.id, role: 'listbox', activeId: list.activeId }}
      >
        {isSearchable(widget['searchable'], options.length) && (
          <OptionSearchField list={list} onKeyDown={(event) => onKeyDown(event, true)} />
        )}
        <OptionItems list={list} label={named(field)} chosen={chosen} onChoose={choose} />
      </Picker>
    </Field>
  )
}

function isSearchable(wanted: unknown, count: number): boolean {
  return count > PAGE || (typeof wanted === 'boolean' ? wanted : count > MANY)
}
