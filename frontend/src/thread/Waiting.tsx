import { useChat, useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { DeleteIcon, RenameIcon, SendIcon } from '../ui/icons'
import { useStore } from '../ui/useStore'
import { OutgoingMessage } from './OutgoingMessage'

/** Messages that are sent when the current answer ends, or when the user presses Send. */
export function Waiting() {
  const chat = useChat()
  const text = useText()
  const draft = useStore(chat.state, (state) => state.draft)
  const waiting = useStore(draft.state, (state) => state.waiting)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  return waiting.map((outgoing) => {
    const { requestId, sending } = outgoing
    return (
      <div key={requestId} className="item user waits">
        <OutgoingMessage {...sending} />
        <div className="actions">
          {isResponding ? (
            <span className="caption" role="status">
              {text('waits')}
            </span>
          ) : (
            <IconButton
              small
              label={text('sendNow')}
              onClick={() => void chat.sendWaiting(outgoing)}
            >
              <SendIcon />
            </IconButton>
          )}
          <IconButton
            small
            label={text('edit')}
            onClick={() => {
              chat.editWaiting(outgoing)
              chat.focus()
            }}
          >
            <RenameIcon />
          </IconButton>
          <IconButton small label={text('delete')} onClick={() => chat.dropWaiting(outgoing)}>
            <DeleteIcon />
          </IconButton>
        </div>
      </div>
    )
  })
}
