/** `<openai-chatkit>`: a frame with the page's own origin, and the chat within it. */

import type { OpenAIChatKit } from '@openai/chatkit'

import { addressOfScript } from './address'
import type { ChatHost, ChatMethods, Kept } from './host'
import type { Options } from './options'
import { printWhole } from './print'
import { trusted } from './trusted'

/** The files of the app, beside this script; the build fills them in. */
declare const __APP_SCRIPT__: string
declare const __APP_IMPORTS__: readonly string[]
declare const __APP_STYLE__: string

const source = addressOfScript()
// The script is served twice: beside the app's files, and at a short address above them.
const files = new URL(/\/ui\/[^/]*$/.test(new URL(source).pathname) ? '.' : 'ui/', source)

const GONE = 'The chat is no longer in the page.'

interface Call {
  run: (methods: ChatMethods) => Promise<unknown>
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

class ChatKitElement extends HTMLElement implements ElementContract {
  #options: Options | null = null
  #listeners = new Set<(options: unknown) => void>()
  #frame: HTMLIFrameElement | null = null
  #methods: ChatMethods | null = null
  /** Calls that wait for the app or for its options. */
  #waiting: Call[] = []
  /** Calls that the app is carrying out. */
  #running = new Set<Call>()
  #keep: (() => Kept) | null = null
  #kept: Kept | null = null
  #key = ''
  #wasRemoved = false
  /** The error message if the app did not start. */
  #failure: string | null = null
  #endPrinting: (() => void) | null = null

  connectedCallback(): void {
    if (this.#frame !== null) return
    this.#wasRemoved = false
    this.#failure = null
    this.#key = keyOf(this)
    keys.set(this, this.#key)
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [style()]
    const frame = document.createElement('iframe')
    frame.title = this.#options?.frameTitle ?? 'Chat'
    frame.allow = 'microphone; clipboard-write'
    frame.style.cssText = 'border:0;width:100%;height:100%;display:block;color-scheme:normal'
    frame.chatkitHost = this.#host(frame)
    frame.addEventListener('load', () => this.#checkStarted(frame))
    frame.srcdoc = trusted(page())
    this.#frame = frame
    root.replaceChildren(frame)
    this.#endPrinting = printWhole(this, frame)
  }

  /** Does nothing, so that the frame stays alive when `moveBefore` moves the element. */
  connectedMoveCallback(): void {}

  disconnectedCallback(): void {
    this.#kept = this.#keep?.() ?? this.#kept
    keys.delete(this)
    this.#keep = null
    this.#endPrinting?.()
    this.#frame?.remove()
    this.#frame = null
    this.#methods = null
    this.#listeners.clear()
    this.#wasRemoved = true
    this.#fail([...this.#running], GONE)
    // An element that moves within the page is connected again at once.
    queueMicrotask(() => {
      if (!this.isConnected) this.#fail(this.#waiting.splice(0), GONE)
    })
  }

  setOptions(options: Options): void {
    this.#options = options ?? {}
    if (this.#frame !== null) this.#frame.title = String(this.#options.frameTitle ?? 'Chat')
    for (const listener of [...this.#listeners]) listener(this.#options)
    this.#runWaiting()
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

  #call(run: (methods: ChatMethods) => Promise<void>): Promise<void> {
    return new Promise<unknown>((resolve, reject) => {
      const call = { run, resolve, reject }
      const refusal = this.#wasRemoved ? GONE : this.#failure
      if (refusal !== null) {
        reject(new Error(refusal))
        return
      }
      this.#waiting.push(call)
      this.#runWaiting()
    }) as Promise<void>
  }

  #runWaiting(): void {
    const methods = this.#methods
    if (methods === null || this.#options === null) return
    for (const call of this.#waiting.splice(0)) {
      this.#running.add(call)
      call
        .run(methods)
        .then(call.resolve, (error: unknown) => call.reject(ownError(error)))
        .finally(() => this.#running.delete(call))
    }
  }

  #fail(calls: readonly Call[], message: string): void {
    for (const call of calls) call.reject(new Error(message))
  }

  /** Show an error if the app did not start: its files may be gone, or a policy forbids them. */
  #checkStarted(frame: HTMLIFrameElement): void {
    if (frame !== this.#frame || this.#methods !== null) return
    // In a sandbox, the frame has another origin, so its document is out of reach.
    const isSandboxed = frame.contentDocument === null
    const message = isSandboxed
      ? 'The chat cannot be shown: the page is in a sandbox without allow-same-origin. Add allow-same-origin.'
      : `The chat could not be started: ${new URL(__APP_SCRIPT__, files).href} cannot be loaded. ` +
        "Check that chatkit.js and its files have the same version and the page's policy allows them."
    const body = isSandboxed ? document.createElement('p') : frame.contentDocument.body
    body.setAttribute('role', 'alert')
    body.textContent = message
    if (isSandboxed) this.shadowRoot?.replaceChildren(body)
    this.#failure = message
    this.#fail(this.#waiting.splice(0), message)
    this.dispatchEvent(new CustomEvent('chatkit.error', { detail: { error: new Error(message) } }))
  }

  #host(frame: HTMLIFrameElement): ChatHost {
    const element = this
    return {
      kept: this.#kept,
      key: this.#key,
      onOptions(listener) {
        element.#listeners.add(listener)
        if (element.#options !== null) listener(element.#options)
        return () => element.#listeners.delete(listener)
      },
      emit(name, ...[detail]) {
        // Ignore the events of a removed frame.
        if (element.#frame !== frame) return
        element.dispatchEvent(new CustomEvent(name, { detail: own(detail) }))
      },
      attach(methods, keep) {
        element.#methods = methods
        element.#keep = keep
        element.dispatchEvent(new CustomEvent('chatkit.ready'))
        element.#runWaiting()
      },
    }
  }
}

/** The members that `OpenAIChatKit` adds to an element; the compiler finds missing ones. */
type ElementContract = Omit<
  OpenAIChatKit,
  keyof HTMLElement | 'addEventListener' | 'removeEventListener'
>

/** Return an event's detail as objects of the page, which outlive those of the frame. */
function own(detail: unknown): unknown {
  if (typeof detail !== 'object' || detail === null) return detail
  return 'error' in detail ? { error: ownError(detail.error) } : structuredClone(detail)
}

/** Return an error that is an instance of the page's own `Error`, not only of the frame's. */
function ownError(error: unknown): Error {
  if (error instanceof Error) return error
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>
  return Object.assign(new Error(message, { cause: error }), { name })
}

/** The elements in the page, each with the key of its stored state. */
const keys = new Map<HTMLElement, string>()

/** Return a key that no other element in the page has: its `id`, or a number. */
function keyOf(element: HTMLElement): string {
  const taken = new Set(keys.values())
  if (element.id !== '' && !taken.has(element.id)) return element.id
  let number = 0
  while (taken.has(number === 0 ? '' : String(number))) number++
  return number === 0 ? '' : String(number)
}

let shared: CSSStyleSheet | null = null

/** Return the element's own style, which any style of the page overrides. */
function style(): CSSStyleSheet {
  if (shared === null) {
    shared = new CSSStyleSheet()
    shared.replaceSync(':host{display:block}:host([hidden]){display:none}')
  }
  return shared
}

function page(): string {
  return (
    '<!doctype html><html><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<link rel="stylesheet" href="${address(__APP_STYLE__)}">` +
    `<script type="module" src="${address(__APP_SCRIPT__)}"></script>` +
    __APP_IMPORTS__.map((name) => `<link rel="modulepreload" href="${address(name)}">`).join('') +
    '</head><body><div id="root"></div></body></html>'
  )
}

function address(name: string): string {
  return new URL(name, files).href.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
}

// Another copy of the script may have defined the element.
if (customElements.get('openai-chatkit') === undefined) {
  customElements.define('openai-chatkit', ChatKitElement)
}
