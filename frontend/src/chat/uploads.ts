/** The files of a draft. */

import type { CustomApiConfig } from '@openai/chatkit'

import type { Attachment } from '../protocol/types'
import { Store } from './store'
import type { Texts } from '../i18n/texts'
import { refusalOf, type Limits } from './limits'
import { remove, transfer, TransferError } from './transfer'

export interface Upload {
  key: number
  name: string
  mimeType: string
  preview: string | null
  /** The fraction uploaded, from 0 to 1; `null` while it is unknown. */
  progress: number | null
  attachment: Attachment | null
  error: string | null
}

export interface UploadsState {
  files: readonly Upload[]
  /** The message about refused files; `null` if there are none. */
  refusal: string | null
  /** The last event, for screen readers. */
  news: string
}

interface Source {
  file: File
  abort: AbortController
}

export class Uploads {
  readonly state = new Store<UploadsState>({ files: [], refusal: null, news: '' })
  #api: () => CustomApiConfig | null
  #texts: Texts
  #sources = new Map<number, Source>()
  #next = 0

  constructor(api: () => CustomApiConfig | null, texts: Texts) {
    this.#api = api
    this.#texts = texts
  }

  finished(): Attachment[] {
    return this.state.get().files.flatMap((file) => file.attachment ?? [])
  }

  isUploading(): boolean {
    return this.state.get().files.some((file) => file.attachment === null && file.error === null)
  }

  hasFailed(): boolean {
    return this.state.get().files.some((file) => file.error !== null)
  }

  /** Remove all files, without deleting them from the server. */
  clear(): void {
    for (const { key, preview } of this.state.get().files) this.#release(key, preview)
    this.state.set({ files: [], refusal: null, news: '' })
  }

  /** Add attachments that the server already has. */
  add(attachments: readonly Attachment[]): void {
    const known = new Set(this.finished().map((attachment) => attachment.id))
    const files = attachments
      .filter((attachment) => !known.has(attachment.id))
      .map((attachment) => ({
        key: this.#next++,
        name: attachment.name,
        mimeType: attachment.mime_type,
        preview: attachment.type === 'image' ? String(attachment.preview_url) : null,
        progress: null,
        attachment,
        error: null,
      }))
    if (files.length > 0) this.state.set({ files: [...this.state.get().files, ...files] })
  }

  remove(key: number): void {
    const removed = this.state.get().files.find((file) => file.key === key)
    if (removed === undefined) return
    const api = this.#api()
    this.#release(key, removed.preview)
    this.state.set({
      files: this.state.get().files.filter((file) => file !== removed),
      refusal: null,
    })
    if (removed.attachment !== null && api !== null) remove(api, removed.attachment.id)
  }

  /** Upload files; set `refusal` if some are refused. */
  upload(files: readonly File[], limits: Limits | undefined): void {
    const refused: string[] = []
    for (const file of files) {
      const reason = refusalOf(file, this.state.get().files.length, limits, this.#texts)
      if (reason !== null) {
        refused.push(this.#texts.say('fileRefused', { name: file.name, reason }))
        continue
      }
      const upload: Upload = {
        key: this.#next++,
        name: file.name,
        mimeType: file.type,
        preview: file.type.startsWith('image/') ? URL.createObjectURL(file) : null,
        progress: null,
        attachment: null,
        error: null,
      }
      this.state.set({ files: [...this.state.get().files, upload] })
      void this.#send(upload.key, file)
    }
    this.state.set({ refusal: refused.length > 0 ? refused.join('\n') : null })
  }

  retry(key: number): void {
    const source = this.#sources.get(key)
    if (source === undefined) return
    this.#change(key, { error: null, progress: null })
    void this.#send(key, source.file)
  }

  async #send(key: number, file: File): Promise<void> {
    const { say } = this.#texts
    const { name } = file
    const abort = new AbortController()
    const { signal } = abort
    this.#sources.set(key, { file, abort })
    this.state.set({ news: say('uploading', { name }) })
    try {
      const api = this.#api()
      if (api === null) throw new TransferError()
      const onProgress = (progress: number): void => this.#change(key, { progress })
      const attachment = await transfer(file, api, { signal, onProgress })
      if (signal.aborted) {
        remove(api, attachment.id)
        return
      }
      this.#sources.delete(key)
      this.#change(key, { attachment })
      this.state.set({ news: say('fileAttached', { name }) })
    } catch (error) {
      if (signal.aborted) return
      const reason = (error instanceof TransferError && error.message) || say('uploadFailed')
      this.#change(key, { error: reason })
      this.state.set({ news: say('fileRefused', { name, reason }) })
    }
  }

  #change(key: number, change: Partial<Upload>): void {
    this.state.set({
      files: this.state
        .get()
        .files.map((file) => (file.key === key ? { ...file, ...change } : file)),
    })
  }

  #release(key: number, preview: string | null): void {
    this.#sources.get(key)?.abort.abort()
    this.#sources.delete(key)
    if (preview?.startsWith('blob:')) URL.revokeObjectURL(preview)
  }
}
