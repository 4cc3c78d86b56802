import { createContext, useContext, useLayoutEffect } from 'react'

import type { Chat } from './chat'
import { Composer } from './Composer'
import { Header } from './Header'
import { History } from './History'
import { StartScreen } from './StartScreen'
import { useStore } from './store'
import { applyTheme } from './theme'
import { Thread } from './Thread'

const ChatContext = createContext<Chat | null>(null)

/** The chat that a component is part of. */
export function useChat(): Chat {
  const chat = useContext(ChatContext)
  if (chat === null) throw new Error('There is no chat around this component.')
  return chat
}

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)(-|$)/

export function App({ chat }: { chat: Chat }) {
  const options = useStore(chat.state, (state) => state.options)
  const configError = useStore(chat.state, (state) => state.configError)
  const view = useStore(chat.state, (state) => state.view)
  const isNew = useStore(
    chat.state,
    ({ threadId, thread, sending }) =>
      threadId === null && thread.items.length === 0 && sending === null,
  )
  const locale = options?.locale ?? navigator.language

  useLayoutEffect(() => {
    applyTheme(options?.theme, document.documentElement)
    document.title = options?.frameTitle ?? 'Chat'
    document.documentElement.lang = locale
    document.documentElement.dir = RIGHT_TO_LEFT.test(locale) ? 'rtl' : 'ltr'
  }, [options?.theme, options?.frameTitle, locale])

  if (options === null) return null
  if (configError !== null) {
    return (
      <main className="start">
        <p className="note danger" role="alert">
          <span>{configError}</span>
        </p>
      </main>
    )
  }
  return (
    <ChatContext value={chat}>
      <div className="chat">
        {options.header?.enabled !== false && <Header />}
        {view === 'history' ? (
          <History />
        ) : (
          <>
            {isNew ? <StartScreen /> : <Thread />}
            <Composer />
          </>
        )}
      </div>
    </ChatContext>
  )
}
