import type { ThreadMetadata } from '../protocol/types'
import { useChat, useLocale, useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { DeleteIcon, RenameIcon } from '../ui/icons'
import { useStore } from '../ui/useStore'
import { timeOf } from './historyList'

interface RowButtonsProps {
  thread: ThreadMetadata
  /** The title, or a placeholder for it. */
  name: string
  onMode: (mode: 'renaming' | 'deleting') => void
}

/** The time when a thread started, and the buttons to rename and delete it. */
export function RowButtons({ thread, name, onMode }: RowButtonsProps) {
  const text = useText()
  const locale = useLocale()
  const history = useStore(useChat().state, (state) => state.options?.history)
  return (
    <>
      <time dateTime={String(thread.created_at)}>{timeOf(thread, locale)}</time>
      {history?.showRename !== false && (
        <IconButton
          small
          label={text('rename', { title: name })}
          onClick={() => onMode('renaming')}
        >
          <RenameIcon />
        </IconButton>
      )}
      {history?.showDelete !== false && (
        <IconButton
          small
          label={text('deleteNamed', { title: name })}
          onClick={() => onMode('deleting')}
        >
          <DeleteIcon />
        </IconButton>
      )}
    </>
  )
}
