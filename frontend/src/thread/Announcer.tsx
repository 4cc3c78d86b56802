import { useEffect, useRef } from 'react'

import type { ThreadItem, Widget } from '../protocol/types'
import { announce, announced } from '../chat/announce'
import { fileTasksOf, titleOf } from '../items/Task'
import { useChat, useText } from '../ui/context'
import { spoken } from '../markdown/spoken'
import { useStore } from '../ui/useStore'
import type { Say } from '../i18n/texts'

/** The announcements so far: each waits for the one before, which may still load Markdown. */
let queue = Promise.resolve()

function say(words: Promise<string>): void {
  queue = queue.then(async () => announce(await words)).catch(() => {})
}

/** Announces new items to screen readers: answers when they are finished, the others briefly. */
export function Announcer() {
  const chat = useChat()
  const text = useText()
  const messages = useStore(announced, (state) => state.last)
  const items = useStore(chat.state, (state) => state.thread.items)
  const open = useStore(chat.state, (state) => state.thread.open)
  const notices = useStore(chat.state, (state) => state.thread.notices)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  /** The items that were announced, or existed before the answer started. */
  const known = useRef(new Set<string>())
  const wasResponding = useRef(false)
  useEffect(() => {
    for (const item of items) {
      if (known.current.has(item.id)) continue
      // An item that is being written is announced when it is finished or stopped.
      if (isResponding && open.has(item.id)) continue
      known.current.add(item.id)
      if (isResponding || wasResponding.current) say(announcementOf(item, text))
    }
    wasResponding.current = isResponding
  }, [items, open, isResponding, text])
  const lastNotice = useRef(0)
  useEffect(() => {
    for (const { id, title, message } of notices) {
      if (id <= lastNotice.current) continue
      say(spoken(message).then((words) => [title, words].filter(Boolean).join(' ')))
    }
    lastNotice.current = notices.at(-1)?.id ?? 0
  }, [notices])
  return (
    <div className="visually-hidden" role="log" aria-live="polite">
      {messages.map((message) => (
        <p key={message.id}>{message.text}</p>
      ))}
    </div>
  )
}

async function announcementOf(item: ThreadItem, say: Say): Promise<string> {
  switch (item.type) {
    case 'assistant_message':
      return spoken(item.content.map((part) => part.text).join('\n'))
    case 'widget':
      return spoken(item.copy_text ?? firstText(item.widget))
    case 'structured_input':
      return item.inputs.map((input) => input.question).join('\n')
    case 'generated_image':
      return say(item.image ? 'generatedImage' : 'imageFailed')
    case 'workflow':
      return fileTasksOf(item)
        .map((task) => titleOf(task, say))
        .join('\n')
    default:
      return ''
  }
}

/** Return the first words of a widget. */
function firstText(widget: Widget): string {
  const { value, children } = widget
  if (typeof value === 'string') return value
  const inner = (Array.isArray(children) ? children : [children]) as (Widget | null | undefined)[]
  for (const child of inner) {
    const text = child ? firstText(child) : ''
    if (text !== '') return text
  }
  return ''
}
