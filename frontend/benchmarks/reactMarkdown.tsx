/** Renders the same growing text with `react-markdown`, for comparison. */

import { useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import Markdown from 'react-markdown'
import remarkGfm from 'remark-gfm'

let text = ''
let changed: () => void = () => {}

function subscribe(listener: () => void): () => void {
  changed = listener
  return () => {}
}

function Growing() {
  const value = useSyncExternalStore(subscribe, () => text)
  return <Markdown remarkPlugins={[remarkGfm]}>{value}</Markdown>
}

createRoot(document.body).render(<Growing />)

window.append = (delta) => {
  text += delta
  changed()
}
