/** `<openai-chatkit>`: a frame with the page's own origin, and the chat within it. */

import type { OpenAIChatKit } from '@openai/chatkit'

import type { ChatHost, ChatMethods } from './host'
import type { Options } from './options'

/** The files of the app, beside this script; the build fills them in. */
declare const __APP_SCRIPT__: string
declare const __APP_STYLE__: string

const script = document.currentScript
const source = script instanceof HTMLScriptElement && script.src ? script.src : document.baseURI
// The script is served twice: beside the app's files, and at a short address above them.
const files = new URL(/\/ui\/[^/]*$/.test(new URL(source).pathname) ? '.' : 'ui/', source)

type Call = (methods: ChatMethods) => void

class ChatKitElement extends HTMLElement implements ElementContract {
  #options: Options | null = null
  #listeners = new Set<(options: Options) => void>()
  #frame: HTMLIFrameElement | null = null
  #methods: ChatMethods | null = null
  /** Calls that came before the app was there. */
  #waiting: Call[] = []

  connectedCallback(): void {
    if (this.#frame !== null) return
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
    if (getComputedStyle(this).display === 'inline') this.style.display = 'block'
    const frame = document.createElement('iframe')
    frame.title = this.#options?.frameTitle ?? 'Chat'
    frame.allow = 'microphone; clipboard-write'
    frame.style.cssText = 'border:0;width:100%;height:100%;display:block;color-scheme:normal'
    frame.chatkitHost = this.#host()
    frame.srcdoc = page(new URL(__APP_SCRIPT__, files), new URL(__APP_STYLE__, files))
    this.#frame = frame
    root.replaceChildren(frame)
  }

  disconnectedCallback(): void {
    this.#frame?.remove()
    this.#frame = null
    this.#methods = null
    this.#listeners.clear()
  }

  setOptions(options: Options): void {
    this.#options = options
    if (this.#frame !== null) this.#frame.title = options.frameTitle ?? 'Chat'
    for (const listener of this.#listeners) listener(options)
  }

  focusComposer = (): Promise<void> => this.#call((methods) => methods.focusComposer())
  setThreadId = (threadId: string | null): Promise<void> =>
    this.#call((methods) => methods.setThreadId(threadId))
  sendUserMessage: ChatMethods['sendUserMessage'] = (params) =>
    this.#call((methods) => methods.sendUserMessage(params))
  setComposerValue: ChatMethods['setComposerValue'] = (params) =>
    this.#call((methods) => methods.setComposerValue(params))
  fetchUpdates = (): Promise<void> => this.#call((methods) => methods.fetchUpdates())
  sendCustomAction: ChatMethods['sendCustomAction'] = (action, itemId) =>
    this.#call((methods) => methods.sendCustomAction(action, itemId))
  showHistory = (): Promise<void> => this.#call((methods) => methods.showHistory())
  hideHistory = (): Promise<void> => this.#call((methods) => methods.hideHistory())

  #call<T>(call: (methods: ChatMethods) => Promise<T>): Promise<T> {
    if (this.#methods !== null) return call(this.#methods)
    return new Promise((resolve, reject) => {
      this.#waiting.push((methods) => call(methods).then(resolve, reject))
    })
  }

  #host(): ChatHost {
    const element = this
    return {
      get options() {
        return element.#options
      },
      onOptions(listener) {
        element.#listeners.add(listener)
        if (element.#options !== null) listener(element.#options)
        return () => element.#listeners.delete(listener)
      },
      emit(name, ...detail) {
        element.dispatchEvent(new CustomEvent(name, { detail: detail[0] }))
      },
      attach(methods) {
        element.#methods = methods
        element.dispatchEvent(new CustomEvent('chatkit.ready'))
        for (const call of element.#waiting.splice(0)) call(methods)
      },
    }
  }
}

/** What `OpenAIChatKit` adds to an element; the compiler checks that nothing is missing. */
type ElementContract = Omit<
  OpenAIChatKit,
  keyof HTMLElement | 'addEventListener' | 'removeEventListener'
>

function page(scriptUrl: URL, styleUrl: URL): string {
  return (
    '<!doctype html><html><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<link rel="stylesheet" href="${escaped(styleUrl)}">` +
    `<script type="module" src="${escaped(scriptUrl)}"></script>` +
    '</head><body><div id="root"></div></body></html>'
  )
}

function escaped(url: URL): string {
  return url.href.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}

// Another copy of the script may have been here before.
if (customElements.get('openai-chatkit') === undefined) {
  customElements.define('openai-chatkit', ChatKitElement)
}

