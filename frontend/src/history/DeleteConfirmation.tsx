import { useText } from '../ui/context'

interface DeleteConfirmationProps {
  onDelete: () => void
  onCancel: () => void
}

/** Asks whether to delete a thread. */
export function DeleteConfirmation({ onDelete, onCancel }: DeleteConfirmationProps) {
  const text = useText()
  return (
    <span
      className="history-confirm"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onCancel()
      }}
    >
      <button type="button" className="prompt" autoFocus onClick={onCancel}>
        {text('keep')}
      </button>
      <button type="button" className="prompt danger" onClick={onDelete}>
        {text('delete')}
      </button>
    </span>
  )
}
