/** Drafts: what users wrote in each thread and have not sent. */

import type { AnyEvent } from '../protocol/live'
import type { Attachment, ThreadItem, UserMessageInput } from '../protocol/types'
import { Store } from './store'
import { storedJson, storeJson } from './storedJson'
import { isContent, joined, noContent, sendable, textOf, type Content } from './content'
import {
  enteredFrom,
  stillOpen,
  withEntry,
  type Entered,
  type Entry,
  type KeptField,
  type KeptFields,
} from './entered'
import type { Uploads } from './uploads'

export interface Written {
  content: Content
  reply: string | null
}

/** A message as the user wrote it. */
export interface Sending extends Written {
  attachments: readonly Attachment[]
}

/** A message that is being sent, or waits to be sent. */
export interface Outgoing {
  /** Identifies the message: the server accepts only one with the same ID. */
  requestId: string
  sending: Sending
  input: UserMessageInput
  /** Once sent, the ID of the thread's last user message before it; `null` if there was none. */
  after?: string | null
}

/** A message that waits for its files, unless the user changes it meanwhile. */
interface Tried {
  content: Content
  files: number
  /** Whether to send the message when its uploads end. A failed upload sets this to `false`. */
  isWaiting: boolean
}

interface DraftState extends Written {
  /** The message being sent, which the server has not confirmed yet. */
  outgoing: Outgoing | null
  /** Messages to send, one after the other, when the current response ends. */
  waiting: readonly Outgoing[]
  /** The message that was put back unconfirmed, although the server may have received it. */
  returned: Outgoing | null
  /** Unsent input for items, by item ID. */
  entered: Entered
}

const nothing: Written = { content: noContent, reply: null }
const empty: DraftState = { ...nothing, outgoing: null, waiting: [], returned: null, entered: {} }

/** Milliseconds after the last change until a draft is saved. */
const PAUSE = 300

let drafts = 0

export class Draft {
  readonly id = drafts++
  readonly state: Store<DraftState>
  /** The message that could not be sent at once. Like its uploads, it does not survive a reload. */
  readonly trying = new Store<{ tried: Tried | null }>({ tried: null })
  #secrets = new Map<string, KeptField>()

  constructor(
    readonly uploads: Uploads,
    written: DraftState,
  ) {
    this.state = new Store(written)
  }

  clear(): void {
    this.state.set(nothing)
    this.uploads.clear()
  }

  /** Put back a message that could not be sent, before the text written since then. */
  restore(returned: Outgoing): void {
    const { content, reply, waiting, outgoing } = this.state.get()
    const { sending, requestId } = returned
    this.uploads.add(sending.attachments)
    this.state.set({
      content: joined(sending.content, content),
      reply: sending.reply ?? reply,
      waiting: waiting.filter((each) => each.requestId !== requestId),
      outgoing: outgoing?.requestId === requestId ? null : outgoing,
      returned,
    })
  }

  /** Return the ID of the request that may already have sent the same message. */
  requestIdOf(sending: Sending): string | null {
    const { returned } = this.state.get()
    return returned !== null && signature(returned.sending) === signature(sending)
      ? returned.requestId
      : null
  }

  /** Keep what the user entered into an item; `null` removes it. */
  enter(itemId: string, entry: Entry | null): void {
    this.state.set({ entered: withEntry(this.state.get().entered, itemId, entry) })
  }

  /** Remove what was entered into items that are gone or done. */
  settle(items: readonly ThreadItem[], isWhole: boolean): void {
    const { entered } = this.state.get()
    const open = stillOpen(entered, items, isWhole)
    if (open !== entered) this.state.set({ entered: open })
  }

  /** Return the values of a widget's controls. */
  fieldsOf(itemId: string): KeptFields {
    const fields = () => this.state.get().entered[itemId]?.fields ?? {}
    return {
      get: (key) => this.#secrets.get(`${itemId}\n${key}`) ?? fields()[key],
      set: (key, field) => {
        if (field.isSecret) this.#secrets.set(`${itemId}\n${key}`, field)
        else this.enter(itemId, { fields: { ...fields(), [key]: field } })
      },
    }
  }
}

/** The drafts of a page. They survive a reload, except for unfinished uploads, but not the tab. */
export class Drafts {
  #drafts = new Map<string, Draft>()
  #late = new Map<Draft, ReturnType<typeof setTimeout>>()
  #newUploads: () => Uploads
  #url = ''

  constructor(newUploads: () => Uploads) {
    this.#newUploads = newUploads
    window.addEventListener('pagehide', () => this.#keepLate())
  }

  /** Separate the drafts from those of other servers and of other chats in the page. */
  use(url: string, key: string): void {
    url = key === '' ? url : `${key} ${url}`
    if (url === this.#url) return
    this.#keepLate()
    this.#drafts.clear()
    this.#url = url
  }

  of(threadId: string | null): Draft {
    const key = threadId ?? ''
    const known = this.#drafts.get(key)
    if (known !== undefined) return known
    const kept = this.#load(key)
    const draft = new Draft(this.#newUploads(), kept ?? empty)
    if (kept !== null) draft.uploads.add(kept.attachments)
    // A new chat cannot know whether its message arrived, but may safely send it again.
    if (kept?.outgoing && threadId === null) draft.restore(kept.outgoing)
    this.#drafts.set(key, draft)
    draft.state.subscribe(() => this.#keepSoon(draft))
    draft.uploads.state.subscribe(() => this.#keepSoon(draft))
    return draft
  }

  /** Move the new chat's draft to its thread, which has an ID now. */
  move(threadId: string): void {
    const draft = this.of(null)
    this.#drafts.delete('')
    this.#forget('')
    this.#drafts.set(threadId, draft)
    this.keep(draft)
  }

  /** Add the draft of a thread that was deleted to the new chat's draft. */
  release(threadId: string): void {
    const draft = this.of(threadId)
    const { outgoing, waiting } = draft.state.get()
    for (const each of [outgoing, ...waiting].toReversed()) if (each !== null) draft.restore(each)
    const { content } = this.of(null).state.get()
    // A request ID belongs to one thread.
    const all = joined(content, draft.state.get().content)
    draft.state.set({ content: all, returned: null, entered: {} })
    draft.uploads.add(this.of(null).uploads.finished())
    this.#drafts.delete(threadId)
    this.#forget(threadId)
    this.#drafts.set('', draft)
    this.keep(draft)
  }

  delete(threadId: string): void {
    this.of(threadId).clear()
    this.#drafts.delete(threadId)
    this.#forget(threadId)
  }

  #keepSoon(draft: Draft): void {
    clearTimeout(this.#late.get(draft))
    this.#late.set(
      draft,
      setTimeout(() => this.keep(draft), PAUSE),
    )
  }

  #keepLate(): void {
    for (const draft of this.#late.keys()) this.keep(draft)
  }

  /** Save a draft immediately. */
  keep(draft: Draft): void {
    clearTimeout(this.#late.get(draft))
    this.#late.delete(draft)
    const key = [...this.#drafts].find(([, each]) => each === draft)?.[0]
    if (key === undefined) return
    const state = draft.state.get()
    const { content, reply, outgoing, waiting, entered } = state
    const attachments = draft.uploads.finished()
    const isEmpty = content.length === 0 && reply === null && attachments.length === 0
    const isIdle = outgoing === null && waiting.length === 0
    if (isEmpty && isIdle && Object.keys(entered).length === 0) {
      this.#forget(key)
      return
    }
    storeJson('sessionStorage', this.#name(key), { ...state, attachments })
  }

  #load(key: string): (DraftState & Sending) | null {
    const kept = storedJson('sessionStorage', this.#name(key))
    if (!isSending(kept)) return null
    const given = kept as Partial<Record<keyof DraftState, unknown>>
    const { outgoing, waiting, returned, entered } = given
    return {
      ...kept,
      outgoing: isOutgoing(outgoing) ? outgoing : null,
      waiting: Array.isArray(waiting) ? waiting.filter(isOutgoing) : [],
      returned: isOutgoing(returned) ? returned : null,
      entered: enteredFrom(entered),
    }
  }

  #forget(key: string): void {
    try {
      sessionStorage.removeItem(this.#name(key))
    } catch {
      // Without storage, nothing was saved.
    }
  }

  #name(key: string): string {
    return `chatkit-draft ${this.#url} ${key}`
  }
}

/** Return whether a saved value is a draft: other scripts of the page can write to the storage. */
function isSending(kept: unknown): kept is Sending {
  if (typeof kept !== 'object' || kept === null) return false
  const { content, reply, attachments } = kept as Partial<Record<keyof Sending, unknown>>
  return (
    isContent(content) &&
    (reply === null || typeof reply === 'string') &&
    Array.isArray(attachments) &&
    attachments.every((each) => typeof (each as { id?: unknown } | null)?.id === 'string')
  )
}

function isOutgoing(kept: unknown): kept is Outgoing {
  const { requestId, sending, input } = (kept ?? {}) as Partial<Record<keyof Outgoing, unknown>>
  const isInput = Array.isArray((input as Partial<UserMessageInput> | undefined)?.content)
  return typeof requestId === 'string' && isSending(sending) && isInput
}

/** Return whether a message that was sent is in its thread. */
export function isThere({ sending, after }: Outgoing, items: readonly ThreadItem[]): boolean {
  const messages = items.filter((item) => item.type === 'user_message')
  const index = messages.findIndex(({ id }) => id === after)
  // Without the message before it, an older one may have the same text.
  if (index < 0 && after !== null) return false
  return messages.slice(index + 1).some((message) => isOf(message, sending))
}

/** Return whether a message in a thread has the content that was sent. */
export function isOf(item: { content: Content }, { content }: Sending): boolean {
  return textOf(item.content) === textOf(sendable(content))
}

/** Return whether an event confirms a message, given the runs of the event and of its request. */
export function isSent(
  sending: Sending,
  event: AnyEvent,
  run: string | null,
  requested: string | null | undefined,
): boolean {
  if (event.type === 'thread.state') {
    return event.items.data.some(
      (item) => item.type === 'user_message' && item.id === event.turn?.id && isOf(item, sending),
    )
  }
  if (event.type !== 'thread.item.done' || event.item.type !== 'user_message') return false
  if (run === null || run === requested) return true
  return requested === null && isOf(event.item, sending)
}

function signature({ content, reply, attachments }: Sending): string {
  return JSON.stringify([content, reply, attachments.map(({ id }) => id)])
}
