/** What is being written, in each thread. */

import type { Attachment, UserMessageInput } from '../protocol/types'
import { Store } from './store'
import { joined, noContent, sendable, textOf, type Content } from './content'
import type { Uploads } from './uploads'

export interface Written {
  content: Content
  reply: string | null
}

/** A message as it was written. */
export interface Sending extends Written {
  attachments: readonly Attachment[]
}

/** A message that is on its way, or waits until it can be. */
export interface Outgoing {
  /** The server takes no two messages with the same. */
  requestId: string
  sending: Sending
  input: UserMessageInput
}

interface DraftState extends Written {
  /** The message that the server may not have yet. */
  outgoing: Outgoing | null
  /** Messages that go one after the other when the answer that is written has ended. */
  waiting: readonly Outgoing[]
  /** The message that has come back and may be in the thread all the same, if it is still this one. */
  returned: Outgoing | null
}

const nothing: Written = { content: noContent, reply: null }
const empty: DraftState = { ...nothing, outgoing: null, waiting: [], returned: null }

/** For how many milliseconds somebody writes before it is kept. */
const PAUSE = 300

let drafts = 0

export class Draft {
  readonly id = drafts++
  readonly state: Store<DraftState>

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

  /** Take back what could not be sent, before what was written since. */
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

  /** Return the id of a request that may have sent the same message before. */
  requestIdOf(sending: Sending): string | null {
    const { returned } = this.state.get()
    return returned !== null && signature(returned.sending) === signature(sending)
      ? returned.requestId
      : null
  }
}

/** The drafts of a page. They outlive a reload, but not their tab; files that are not uploaded do not. */
export class Drafts {
  #drafts = new Map<string, Draft>()
  #late = new Map<Draft, ReturnType<typeof setTimeout>>()
  #newUploads: () => Uploads
  #url = ''

  constructor(newUploads: () => Uploads) {
    this.#newUploads = newUploads
    window.addEventListener('pagehide', () => this.#keepLate())
  }

  /** Keep drafts apart from those of other servers, and of other chats in the page. */
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
    // A new chat cannot tell whether it has begun; sent again, it is the same.
    if (kept?.outgoing && threadId === null) draft.restore(kept.outgoing)
    this.#drafts.set(key, draft)
    draft.state.subscribe(() => this.#keepSoon(draft))
    draft.uploads.state.subscribe(() => this.#keepSoon(draft))
    return draft
  }

  /** The thread that was new has got its id. */
  move(threadId: string): void {
    const draft = this.of(null)
    this.#drafts.delete('')
    this.#forget('')
    this.#drafts.set(threadId, draft)
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

  /** Keep a draft at once. */
  keep(draft: Draft): void {
    clearTimeout(this.#late.get(draft))
    this.#late.delete(draft)
    const key = [...this.#drafts].find(([, each]) => each === draft)?.[0]
    if (key === undefined) return
    const state = draft.state.get()
    const { content, reply, outgoing, waiting } = state
    const attachments = draft.uploads.finished()
    const isEmpty = content.length === 0 && reply === null && attachments.length === 0
    if (isEmpty && outgoing === null && waiting.length === 0) {
      this.#forget(key)
      return
    }
    try {
      sessionStorage.setItem(this.#name(key), JSON.stringify({ ...state, attachments }))
    } catch {
      // Where nothing can be kept, a draft lasts as long as the page.
    }
  }

  #load(key: string): (DraftState & Sending) | null {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(this.#name(key)) ?? 'null')
      if (!isSending(kept)) return null
      const { outgoing, waiting, returned } = kept as Partial<Record<keyof DraftState, unknown>>
      return {
        ...kept,
        outgoing: isOutgoing(outgoing) ? outgoing : null,
        waiting: Array.isArray(waiting) ? waiting.filter(isOutgoing) : [],
        returned: isOutgoing(returned) ? returned : null,
      }
    } catch {
      return null
    }
  }

  #forget(key: string): void {
    try {
      sessionStorage.removeItem(this.#name(key))
    } catch {
      // Nothing was kept, then.
    }
  }

  #name(key: string): string {
    return `chatkit-draft ${this.#url} ${key}`
  }
}

/** Tell whether a draft that was kept is one: other scripts of the page write there, too. */
function isSending(kept: unknown): kept is Sending {
  if (typeof kept !== 'object' || kept === null) return false
  const { content, reply, attachments } = kept as Partial<Record<keyof Sending, unknown>>
  return (
    Array.isArray(content) &&
    content.every((part) => typeof (part as { text?: unknown } | null)?.text === 'string') &&
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

/** Tell whether a message in a thread says what was sent. */
export function isOf(item: { content: Content }, { content }: Sending): boolean {
  return textOf(item.content) === textOf(sendable(content))
}

function signature({ content, reply, attachments }: Sending): string {
  return JSON.stringify([content, reply, attachments.map(({ id }) => id)])
}
