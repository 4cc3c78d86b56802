/** The files of the message that is being written. */

import type { CustomApiConfig } from '@openai/chatkit'

import type { Options } from '../element/options'
import type { Attachment } from '../protocol/types'
import { Store } from './store'
import type { Texts } from './texts'

const DEFAULT_SIZE = 100 * 1024 * 1024
const DEFAULT_COUNT = 10

export interface Upload {
  key: number
  name: string
  mimeType: string
  preview: string | null
  attachment: Attachment | null
  error: string | null
}

type Created = Attachment & {
  upload_descriptor?: { url: string; method: string; headers?: Record<string, string> } | null
}

export class Uploads {
  readonly state = new Store<{ files: readonly Upload[]; refusal: string | null }>({
    files: [],
    refusal: null,
  })
  #api: () => CustomApiConfig | null
  #texts: Texts
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

  clear(): void {
    for (const file of this.state.get().files) {
      if (file.preview?.startsWith('blob:')) URL.revokeObjectURL(file.preview)
    }
    this.state.set({ files: [], refusal: null })
  }

  /** Take attachments that the server has already. */
  add(attachments: readonly Attachment[]): void {
    const files = attachments.map((attachment) => ({
      key: this.#next++,
      name: attachment.name,
      mimeType: attachment.mime_type,
      preview: attachment.type === 'image' ? String(attachment.preview_url) : null,
      attachment,
      error: null,
    }))
    this.state.set({ files: [...this.state.get().files, ...files] })
  }

  remove(key: number): void {
    const removed = this.state.get().files.find((file) => file.key === key)
    this.state.set({ files: this.state.get().files.filter((file) => file.key !== key) })
    if (removed?.attachment) {
      void this.#send(String(this.#api()?.url), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          type: 'attachments.delete',
          params: { attachment_id: removed.attachment.id },
        }),
      }).catch(() => {})
    }
  }

  /** Upload files; those that the options refuse are named in `refusal`. */
  upload(files: readonly File[], options: Options | null): void {
    const limits = options?.composer?.attachments
    const refused: string[] = []
    for (const file of files) {
      const reason = this.#refusalOf(file, limits)
      if (reason !== null) {
        refused.push(this.#texts.say('fileRefused', { name: file.name, reason }))
        continue
      }
      const upload: Upload = {
        key: this.#next++,
        name: file.name,
        mimeType: file.type,
        preview: file.type.startsWith('image/') ? URL.createObjectURL(file) : null,
        attachment: null,
        error: null,
      }
      this.state.set({ files: [...this.state.get().files, upload] })
      void this.#upload(file).then(
        (attachment) => this.#change(upload.key, { attachment }),
        (error: unknown) =>
          this.#change(upload.key, { error: error instanceof Error ? error.message : this.#texts.say('uploadFailed') }),
      )
    }
    this.state.set({ refusal: refused.length > 0 ? refused.join('\n') : null })
  }

  /** Return why a file is refused, if it is. */
  #refusalOf(file: File, limits: Limits | undefined): string | null {
    const { say } = this.#texts
    const count = limits?.maxCount ?? DEFAULT_COUNT
    if (this.state.get().files.length >= count) return say('tooManyFiles', { count })
    if (limits?.accept && !isAccepted(file, limits.accept)) return say('wrongKind')
    const most = sizeLimit(file, limits?.maxSize)
    if (file.size > most) return say('tooLarge', { size: sizeOf(most, this.#texts.locale) })
    return file.size === 0 ? say('emptyFile') : null
  }

  #change(key: number, change: Partial<Upload>): void {
    this.state.set({
      files: this.state.get().files.map((file) =>
        file.key === key ? { ...file, ...change } : file,
      ),
    })
  }

  async #upload(file: File): Promise<Attachment> {
    const api = this.#api()
    if (api === null) throw new Error('There is no server to upload to.')
    if (api.uploadStrategy?.type === 'direct') {
      const form = new FormData()
      form.append('file', file)
      const url = new URL(api.uploadStrategy.uploadUrl, parent.document.baseURI).href
      return (await this.#json(url, { method: 'POST', body: form })) as Attachment
    }
    const created = (await this.#json(new URL(api.url, parent.document.baseURI).href, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        type: 'attachments.create',
        params: { name: file.name, size: file.size, mime_type: file.type || 'application/octet-stream' },
      }),
    })) as Created
    const { upload_descriptor: descriptor, ...attachment } = created
    if (descriptor) {
      const init = { method: descriptor.method, headers: descriptor.headers ?? {}, body: file }
      const response = await this.#send(descriptor.url, init)
      if (!response.ok) throw new Error((await reasonOf(response)) ?? this.#texts.say('uploadFailed'))
    }
    return attachment as Attachment
  }

  async #json(url: string, init: RequestInit): Promise<unknown> {
    const response = await this.#send(url, init)
    if (!response.ok) throw new Error((await reasonOf(response)) ?? this.#texts.say('uploadFailed'))
    return response.json()
  }

  #send(url: string, init: RequestInit): Promise<Response> {
    return (this.#api()?.fetch ?? fetch)(new URL(url, parent.document.baseURI).href, init)
  }
}

type Limits = NonNullable<NonNullable<Options['composer']>['attachments']>

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** Return a number of bytes as people read it. */
export function sizeOf(bytes: number, locale: string): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const unit = UNITS[power] ?? 'byte'
  const style = { style: 'unit', unit, maximumFractionDigits: 1 } as const
  return new Intl.NumberFormat(locale, style).format(bytes / 1024 ** power)
}

function isAccepted(file: File, accept: Record<string, string[]>): boolean {
  return Object.entries(accept).some(
    ([type, extensions]) =>
      matches(file.type, type) &&
      (extensions.length === 0 ||
        extensions.some((each) => file.name.toLowerCase().endsWith(each.toLowerCase()))),
  )
}

function matches(type: string, pattern: string): boolean {
  return (
    pattern === '*/*' ||
    pattern === type ||
    (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)))
  )
}

function sizeLimit(file: File, limit: Limits['maxSize']): number {
  if (limit === undefined) return DEFAULT_SIZE
  if (typeof limit === 'number') return limit
  const found = Object.entries(limit).find(([pattern]) => pattern && matches(file.type, pattern))
  return found?.[1] ?? limit['*'] ?? limit[''] ?? DEFAULT_SIZE
}

async function reasonOf(response: Response): Promise<string | null> {
  try {
    const body = (await response.json()) as { error?: unknown }
    if (typeof body.error === 'string') return body.error
  } catch {
    // Not every server says why.
  }
  return null
}
