import { Check } from '@openai/apps-sdk-ui/components/Icon'

import { useText } from '../ui/context'
import type { Option } from './values'

interface OptionsProps {
  id: string
  label: { 'aria-label'?: string; 'aria-labelledby'?: string }
  options: readonly Option[]
  /** The index of the option that the arrow keys have gone to. */
  active: number
  chosen: Option | null
  onPoint: (index: number) => void
  onChoose: (option: Option) => void
  onMore: (() => void) | null
}

/** A list of options; the focus stays at what has opened it. */
export function Options(props: OptionsProps) {
  const { id, label, options, active, chosen, onPoint, onChoose, onMore } = props
  const text = useText()
  return (
    <div className="widget-options" onMouseDown={(event) => event.preventDefault()}>
      <ul {...label} id={id} role="listbox" tabIndex={-1}>
        {options.map((option, index) => (
          <li
            key={option.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={option === chosen}
            aria-disabled={option.isDisabled || undefined}
            data-active={index === active ? '' : undefined}
            onPointerMove={() => !option.isDisabled && index !== active && onPoint(index)}
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
      {options.length === 0 && (
        <p className="widget-none" role="status">
          {text('nothingFound')}
        </p>
      )}
      {onMore !== null && (
        <button type="button" className="widget-more-options" tabIndex={-1} onClick={onMore}>
          {text('showMore')}
        </button>
      )}
    </div>
  )
}
