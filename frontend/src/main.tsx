/** Starts the chat in the frame that the element has created. */

// First, since it sets the order of the style layers.
import './theme/app.css'

import { createRoot } from 'react-dom/client'

import { App } from './App'
import { Chat } from './chat/chat'
import { methodsOf } from './chat/methods'

const frame = window.frameElement as HTMLIFrameElement | null
const host = frame?.chatkitHost
const root = document.getElementById('root')
if (host !== undefined && root !== null) {
  const chat = new Chat(host)
  createRoot(root).render(<App chat={chat} />)
  host.attach(methodsOf(chat), chat.keep)
}
