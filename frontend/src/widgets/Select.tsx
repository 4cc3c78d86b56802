import { Input } from '@openai/apps-sdk-ui/components/Input'
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react'

import { useText } from '../ui/context'
import type { ComponentProps } from './Component'
import { useChange } from './context'
import { Field } from './Field'
import { useField } from './forms'
import { firstOf, found, nextOf, startingWith } from './optionSearch'
import { Options } from './Options'
import { named, Picker } from './Picker'
import { isTrue, nameOf, optionsOf, textOf, titleOf, type Option } from './values'

/** From how many options on they can be searched. */
const MANY = 15
/** How many options are drawn before somebody asks for more. */
const PAGE = 100
/** For how many milliseconds letters make one word. */
const WORD = 600

export function Select({ widget }: ComponentProps) {
  const text = useText()
  const listId = useId()
  const options = useMemo(() => optionsOf(widget['options']), [widget])
  const { tell, isPending, failure } = useChange(widget)
  const given = textOf(widget['defaultValue'])
  const isDisabled = isTrue(widget['disabled']) || options.length === 0
  const isChoice = options.every((option) => option.value !== '')
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
  const [isOpen, setOpen] = useState(false)
  const [query, setQuery] = useState('')
  const [limit, setLimit] = useState(PAGE)
  const [active, setActive] = useState(-1)
  const typed = useRef({ letters: '', at: 0 })

  const searchable = widget['searchable']
  const isSearchable =
    options.length > PAGE || (typeof searchable === 'boolean' ? searchable : options.length > MANY)
  const matches = useMemo(() => found(options, query), [options, query])
  const shown = matches.slice(0, limit)
  const chosen = options.find((option) => option.value === field.value) ?? null
  const activeId = active in shown ? `${listId}-${active}` : undefined

  useEffect(() => {
    if (activeId !== undefined)
      document.getElementById(activeId)?.scrollIntoView({ block: 'nearest' })
  }, [activeId])

  const open = (at?: number): void => {
    const index = options.findIndex((option) => option === chosen && !option.isDisabled)
    const start = at ?? (index >= 0 ? index : firstOf(options))
    setQuery('')
    setLimit(Math.max(PAGE, start + PAGE / 2))
    setActive(start)
    setOpen(true)
  }
  const close = (): void => {
    setOpen(false)
    document.getElementById(field.id)?.focus()
  }
  const choose = (option: Option | undefined): void => {
    if (option === undefined || option.isDisabled) return
    close()
    if (option.value === field.value && chosen !== null) return
    field.set(option.value)
    tell(isChoice && option.value === '' ? null : option.value)
  }

  const onKeyDown = (event: KeyboardEvent, isSearch: boolean): void => {
    if (event.nativeEvent.isComposing || event.altKey || event.ctrlKey || event.metaKey) return
    const steps: Record<string, () => number> = {
      ArrowDown: () => nextOf(shown, active, 1),
      ArrowUp: () => nextOf(shown, active, -1),
      PageDown: () => nextOf(shown, Math.min(active + 9, shown.length - 2), 1),
      PageUp: () => nextOf(shown, Math.max(active - 9, 1), -1),
      ...(!isSearch && {
        Home: () => firstOf(shown),
        End: () => nextOf(shown, shown.length, -1),
      }),
    }
    const isLetter =
      !isSearch && event.key.length === 1 && (event.key !== ' ' || isTyping(typed.current))
    if (event.key in steps) {
      if (isOpen) setActive(steps[event.key]?.() ?? active)
      else open()
    } else if (isLetter) {
      const { letters, at } = typed.current
      const word = Date.now() - at < WORD ? letters + event.key : event.key
      typed.current = { letters: word, at: Date.now() }
      const index = startingWith(options, word, isOpen ? active : options.indexOf(chosen as Option))
      if (!isOpen) open(index < 0 ? undefined : index)
      else if (index >= 0) setActive(index)
    } else if (event.key === 'Enter' || (event.key === ' ' && !isSearch)) {
      if (isOpen) choose(shown[active])
      else open()
    } else if (event.key === 'Escape' && isOpen) {
      close()
    } else {
      if (event.key === 'Tab' && isOpen) setOpen(false)
      return
    }
    event.preventDefault()
    event.stopPropagation()
  }

  const label = named(field)
  return (
    <Field field={field} isBlock={isTrue(widget['block'])} isPending={isPending} failure={failure}>
      <Picker
        widget={widget}
        field={field}
        isDisabled={isDisabled}
        isPending={isPending}
        chosen={chosen?.label ?? null}
        placeholder={textOf(widget['placeholder']) || text('choose')}
        isOpen={isOpen}
        onOpenChange={(isWanted) => (isWanted ? open() : setOpen(false))}
        onKeyDown={(event) => onKeyDown(event, false)}
        onClear={() => {
          field.set('')
          tell(isChoice ? null : '')
        }}
        popup={{
          id: listId,
          role: 'listbox',
          activeId,
          children: (
            <>
              {isSearchable && (
                <div className="widget-search">
                  <Input
                    autoFocus
                    size="sm"
                    role="combobox"
                    aria-label={text('search')}
                    aria-expanded
                    aria-controls={listId}
                    aria-activedescendant={activeId}
                    placeholder={text('search')}
                    allowAutofillExtensions={false}
                    value={query}
                    onChange={(event) => {
                      setQuery(event.target.value)
                      setLimit(PAGE)
                      setActive(firstOf(found(options, event.target.value)))
                    }}
                    onKeyDown={(event) => onKeyDown(event, true)}
                  />
                </div>
              )}
              <Options
                id={listId}
                label={label}
                options={shown}
                active={active}
                chosen={chosen}
                onPoint={setActive}
                onChoose={choose}
                onMore={matches.length > limit ? () => setLimit(limit + PAGE) : null}
              />
            </>
          ),
        }}
      />
    </Field>
  )
}

function isTyping({ letters, at }: { letters: string; at: number }): boolean {
  return letters !== '' && Date.now() - at < WORD
}
