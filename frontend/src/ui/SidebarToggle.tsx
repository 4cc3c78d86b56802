import { useText } from './context'
import { IconButton } from './IconButton'
import { SidebarIcon } from './icons'

export interface SidebarState {
  isOpen: boolean
  /** Whether the user has opened or closed it. */
  wasToggled: boolean
  toggle: () => void
}

/** Opens and closes the sidebar. The button that replaces the pressed one takes its focus. */
export function SidebarToggle({ isOpen, wasToggled, toggle }: SidebarState) {
  const text = useText()
  return (
    <IconButton
      label={text('chats')}
      aria-expanded={isOpen}
      autoFocus={wasToggled}
      onClick={toggle}
    >
      <SidebarIcon />
    </IconButton>
  )
}
