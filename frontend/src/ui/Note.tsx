import type { ReactNode } from 'react'

import type { NoticeEvent } from '../protocol/types'
import { FailedIcon, InfoIcon, WarningIcon } from './icons'

const ICONS = { info: InfoIcon, warning: WarningIcon, danger: FailedIcon }

interface NoteProps {
  level: NoticeEvent['level']
  /** A way on. */
  action?: ReactNode
  children: ReactNode
}

/** What a person is told about the chat itself. */
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
