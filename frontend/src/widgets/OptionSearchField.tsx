import { Input } from '@openai/apps-sdk-ui/components/Input'
import type { KeyboardEvent } from 'react'

import { useText } from '../ui/context'
import type { OptionList } from './useOptionList'

interface OptionSearchFieldProps {
  list: OptionList
  onKeyDown: (event: KeyboardEvent) => void
}

/** The field that searches a list of options. */
export function OptionSearchField({ list, onKeyDown }: OptionSearchFieldProps) {
  const text = useText()
  return (
    <div className="widget-search">
      <Input
        autoFocus
        size="sm"
        role="combobox"
        aria-label={text('search')}
        aria-expanded
        aria-controls={list.id}
        aria-activedescendant={list.activeId}
        placeholder={text('search')}
        allowAutofillExtensions={false}
        value={list.query}
        onChange={(event) => list.search(event.target.value)}
        onKeyDown={onKeyDown}
      />
    </div>
  )
}
