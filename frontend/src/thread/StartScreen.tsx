import type { StartScreenPrompt } from '@openai/chatkit'
import { useEffect, useRef, useState, type RefObject } from 'react'

import { useChat, useText } from '../ui/context'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { useStore } from '../ui/useStore'

export function StartScreen() {
  const chat = useChat()
  const text = useText()
  const start = useStore(chat.state, (state) => state.options?.startScreen)

  const main = useRef<HTMLElement>(null)
  const isCut = useIsCut(main)

  const choose = ({ prompt }: StartScreenPrompt): void => {
    void chat.sendUserMessage(typeof prompt === 'string' ? { text: prompt } : { content: prompt })
  }
  return (
    <main ref={main} className="start" {...(isCut && { tabIndex: 0 })}>
      <div className="welcome">
        <h1 className="greeting" dir="auto">
          {start?.greeting ?? text('greeting')}
        </h1>
        {start?.description && (
          <p className="description" dir="auto">
            {start.description}
          </p>
        )}
      </div>
      {start?.prompts && start.prompts.length > 0 && (
        <div className="prompts">
          {start.prompts.map((prompt, index) => (
            <button key={index} type="button" className="prompt" onClick={() => choose(prompt)}>
              {prompt.icon && <NamedIcon name={prompt.icon} />}
              <span>{prompt.label}</span>
            </button>
          ))}
        </div>
      )}
    </main>
  )
}

/** Return whether an element's content is cut off: it must be focusable, to scroll by keyboard. */
function useIsCut(element: RefObject<HTMLElement | null>): boolean {
  const [isCut, setCut] = useState(false)
  useEffect(() => {
    const { current } = element
    if (current === null) return
    const observer = new ResizeObserver(() => setCut(current.scrollHeight > current.clientHeight))
    observer.observe(current)
    return () => observer.disconnect()
  }, [element])
  return isCut
}
