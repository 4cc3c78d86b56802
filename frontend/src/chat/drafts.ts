/** What is being written, in each thread. */

import type { Attachment } from '../protocol/types'
import { Store } from './store'
import { joined, noContent, type Content } from '../composer/content'
import type { Uploads } from './uploads'

export interface Written {
  content: Content
  reply: string | null
}

/** A message on its way. */
export interface Sending extends Written {
  attachments: readonly Attachment[]
}

const nothing: Written = { content: noContent, reply: null }

/** For how many milliseconds somebody writes before it is kept. */
const PAUSE = 300

let drafts = 0

export class Draft {
  readonly id = drafts++
  readonly state: Store<Written>

  constructor(
    readonly uploads: Uploads,
    written: Written,
  ) {
    this.state = new Store(written)
  }

  clear(): void {
    this.state.set(nothing)
    this.uploads.clear()
  }

  /** Take back what could not be sent, before what was written since. */
  restore(sending: Sending): void {
    const { content, reply } = this.state.get()
    this.state.set({
      content: joined(sending.content, content),
      reply: sending.reply ?? reply,
    })
    this.uploads.add(sending.attachments)
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

  /** Keep drafts apart from those of other servers. */
  use(url: string): void {
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
    const draft = new Draft(this.#newUploads(), kept ?? nothing)
    if (kept !== null) draft.uploads.add(kept.attachments)
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
    this.#keep(draft)
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
      setTimeout(() => this.#keep(draft), PAUSE),
    )
  }

  #keepLate(): void {
    for (const draft of this.#late.keys()) this.#keep(draft)
  }

  #keep(draft: Draft): void {
    clearTimeout(this.#late.get(draft))
    this.#late.delete(draft)
    const key = [...this.#drafts].find(([, each]) => each === draft)?.[0]
    if (key === undefined) return
    const { content, reply } = draft.state.get()
    const attachments = draft.uploads.finished()
    if (content.length === 0 && reply === null && attachments.length === 0) {
      this.#forget(key)
      return
    }
    try {
      sessionStorage.setItem(this.#name(key), JSON.stringify({ content, reply, attachments }))
    } catch {
      // Where nothing can be kept, a draft lasts as long as the page.
    }
  }

  #load(key: string): Sending | null {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(this.#name(key)) ?? 'null')
      return isSending(kept) ? kept : null
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
