import type { ReactNode } from 'react'

import type { NoticeEvent } from '../protocol/types'
import { FailedIcon, InfoIcon, WarningIcon } from './icons'

const ICONS = { info: InfoIcon, warning: WarningIcon, danger: FailedIcon }

interface NoteProps {
  level: NoticeEvent['level']
  /** A button that may solve the problem. */
  action?: ReactNode
  children: ReactNode
}

/** A message about the chat itself. */
export function Note({ level, action, children }: NoteProps) {
  const Icon = ICONS[level] ?? InfoIcon
  return (
    <div className={`note ${level}`} role={level === 'danger' ? 'alert' : undefined}>
      <Icon aria-hidden />
      <div className="note-text" dir="auto">
        {children}
      </div>
      {action}
    </div>
  )
}
