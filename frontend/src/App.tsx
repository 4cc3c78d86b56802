import { useEffect, useLayoutEffect } from 'react'

import type { ThreadMetadata } from './protocol/types'
import { Boundary } from './ui/Boundary'
import { keepFocus } from './ui/keepFocus'
import type { Chat } from './chat/chat'
import { Composer } from './composer/Composer'
import { ChatContext, PreviewWidgetContext, useChat, useText } from './ui/context'
import { Header } from './ui/Header'
import { History } from './history/History'
import { Sidebar, useSidebar } from './history/Sidebar'
import { part } from './ui/part'
import { Problems } from './ui/Problems'
import { Shortcuts } from './Shortcuts'
import { StartScreen } from './thread/StartScreen'
import { useStore } from './ui/useStore'
import { directionOf } from './i18n/texts'
import { applyTheme } from './theme/theme'
import { preloadMarkdown } from './markdown/Markdown'
import { Thread } from './thread/Thread'

const PreviewWidget = part(() => import('./widgets/WidgetView'))

const ACTIVE: NonNullable<ThreadMetadata['status']> = { type: 'active' }

/** The chat, or an error message: the frame is never blank. */
export function App({ chat }: { chat: Chat }) {
  return (
    <Boundary
      fallback={
        <main className="start">
          <h1 className="visually-hidden">{chat.texts.say('chat')}</h1>
          <p className="note danger" role="alert">
            <span>{chat.texts.say('failed')}</span>
            <button type="button" className="prompt" onClick={() => location.reload()}>
              {chat.texts.say('tryAgain')}
            </button>
          </p>
        </main>
      }
    >
      <Parts chat={chat} />
    </Boundary>
  )
}

function Parts({ chat }: { chat: Chat }) {
  const options = useStore(chat.state, (state) => state.options)
  const configError = useStore(chat.state, (state) => state.configError)
  const isNew = useStore(
    chat.state,
    ({ threadId, thread, sending }) =>
      threadId === null && sending === null && thread.items.length === 0 && thread.error === null,
  )
  const status = useStore(chat.state, ({ thread }) => thread.thread?.status ?? ACTIVE)
  const locale = useStore(chat.texts.state, (state) => state.locale)
  const say = useStore(chat.texts.state, (state) => state.say)

  useLayoutEffect(() => {
    applyTheme(options?.theme, document.documentElement)
    document.title = options?.frameTitle ?? say('chat')
    document.documentElement.lang = locale
    document.documentElement.dir = directionOf(locale)
  }, [options?.theme, options?.frameTitle, locale, say])

  useKeptFocus(chat)

  if (options === null || locale === '') return null
  if (configError !== null) {
    return (
      <main className="start">
        <h1 className="visually-hidden">{say('chat')}</h1>
        <p className="note danger" role="alert">
          <span>{configError}</span>
        </p>
      </main>
    )
  }
  return (
    <ChatContext value={chat}>
      <PreviewWidgetContext value={PreviewWidget}>
        <Layout status={status} isNew={isNew} />
      </PreviewWidgetContext>
    </ChatContext>
  )
}

/** Return the focus to the composer when the control that had it disappears. */
function useKeptFocus(chat: Chat): void {
  useEffect(
    () =>
      keepFocus(() => {
        // On a touch screen, the focus would open the keyboard.
        if (!matchMedia('(pointer: fine)').matches) return
        chat.focus()
        // The list of chats may be in the place of the composer.
        if (document.activeElement === document.body) {
          document.querySelector<HTMLElement>('.history input[type=search]')?.focus()
        }
      }),
    [chat],
  )
}

interface LayoutProps {
  status: NonNullable<ThreadMetadata['status']>
  isNew: boolean
}

function Layout({ status, isNew }: LayoutProps) {
  const chat = useChat()
  const text = useText()
  const hasHeader = useStore(chat.state, ({ options }) => options?.header?.enabled !== false)
  const view = useStore(chat.state, (state) => state.view)
  const sidebar = useSidebar()
  // After the first paint, which it would delay.
  useEffect(preloadMarkdown, [])
  return (
    <div className="layout">
      <Shortcuts sidebar={sidebar} />
      {sidebar?.isOpen && <Sidebar {...sidebar} />}
      <div className="chat">
        {(hasHeader || sidebar?.isOpen === false) && <Header sidebar={sidebar} />}
        <Problems />
        {view === 'history' && sidebar === null ? (
          <History />
        ) : (
          <>
            {isNew ? <StartScreen /> : <Thread />}
            {status.type === 'active' ? (
              <Composer />
            ) : (
              <footer className="column composer">
                <p className="note" role="status">
                  <span>
                    {status.reason ??
                      text(status.type === 'locked' ? 'threadLocked' : 'threadClosed')}
                  </span>
                </p>
              </footer>
            )}
          </>
        )}
      </div>
    </div>
  )
}
