import { useLayoutEffect } from 'react'

import type { Chat } from './chat'
import { Composer } from './Composer'
import { ChatContext } from './context'
import { Header } from './Header'
import { History } from './History'
import { StartScreen } from './StartScreen'
import { useStore } from './store'
import { directionOf } from './texts'
import { applyTheme } from './theme'
import { Thread } from './Thread'

export function App({ chat }: { chat: Chat }) {
  const options = useStore(chat.state, (state) => state.options)
  const configError = useStore(chat.state, (state) => state.configError)
  const view = useStore(chat.state, (state) => state.view)
  const isNew = useStore(
    chat.state,
    ({ threadId, thread, sending }) =>
      threadId === null && thread.items.length === 0 && sending === null,
  )
  const locale = useStore(chat.texts.state, (state) => state.locale)

  useLayoutEffect(() => {
    applyTheme(options?.theme, document.documentElement)
    document.title = options?.frameTitle ?? chat.texts.say('chat')
    document.documentElement.lang = locale
    document.documentElement.dir = directionOf(locale)
  }, [options?.theme, options?.frameTitle, locale])

  if (options === null || locale === '') return null
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
