import { Check } from '@openai/apps-sdk-ui/components/Icon'

import { useText } from '../ui/context'
import type { PickerLabel } from './PickerPopup'
import type { OptionList } from './useOptionList'
import type { Option } from './values'

interface OptionItemsProps {
  list: OptionList
  label: PickerLabel
  chosen: Option | null
  onChoose: (option: Option) => void
}

/** A list of options; the focus stays in the control or the search field. */
export function OptionItems({ list, label, chosen, onChoose }: OptionItemsProps) {
  const { id, shown, active, setActive, more } = list
  const text = useText()
  return (
    <div className="widget-options" onMouseDown={(event) => event.preventDefault()}>
      <ul {...label} id={id} role="listbox" tabIndex={-1}>
        {shown.map((option, index) => (
          <li
            key={option.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={option === chosen}
            aria-disabled={option.isDisabled || undefined}
            data-active={index === active ? '' : undefined}
            onPointerMove={() => !option.isDisabled && index !== active && setActive(index)}
            onClick={() => onChoose(option)}
          >
            <span className="widget-check">{option === chosen && <Check />}</span>
            <span className="widget-option" dir="auto">
              {option.label}
              {option.description !== '' && (
                <span className="widget-description">{option.description}</span>
              )}
            </span>
          </li>
        ))}
      </ul>
      {shown.length === 0 && (
        <p className="widget-none" role="status">
          {text('nothingFound')}
        </p>
      )}
      {more !== null && (
        <button type="button" className="widget-more-options" tabIndex={-1} onClick={more}>
          {text('showMore')}
        </button>
      )}
    </div>
  )
}
