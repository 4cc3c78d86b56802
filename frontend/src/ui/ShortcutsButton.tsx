import { useText } from './context'
import { IconButton } from './IconButton'
import { KeyboardIcon } from './icons'
import { ariaKeysOf, sheet } from './shortcutKeys'

/** Opens the list of shortcuts, where there is a keyboard. */
export function ShortcutsButton() {
  const text = useText()
  return (
    <span className="for-keyboards">
      <IconButton
        label={text('shortcuts')}
        aria-keyshortcuts={ariaKeysOf('shortcuts')}
        onClick={() => sheet.set({ isOpen: true })}
      >
        <KeyboardIcon />
      </IconButton>
    </span>
  )
}
