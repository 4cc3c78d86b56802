import { useChat, useText } from '../ui/context'
import { ChatList } from './ChatList'

/** The list of chats, in place of the thread. */
export function History() {
  const chat = useChat()
  const text = useText()
  return (
    <main className="column history-panel">
      <h1 className="visually-hidden">{text('chats')}</h1>
      <ChatList autoFocus onEscape={() => void chat.hideHistory()} />
    </main>
  )
}
