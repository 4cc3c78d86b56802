/** Transfers files to and from the server. */

import type { CustomApiConfig } from '@openai/chatkit'

import { save } from './save'
import type { Attachment } from '../protocol/types'

export interface Transfer {
  signal: AbortSignal
  /** Called with the fraction sent, from 0 to 1, where the browser reports it. */
  onProgress: (fraction: number) => void
}

/** Thrown when a transfer fails; the message is the server's reason, if it gave one. */
export class TransferError extends Error {
  override readonly name = 'TransferError'
}

interface Descriptor {
  url: string
  method: string
  headers?: Record<string, string> | null
}

type Created = Attachment & { upload_descriptor?: Descriptor | null }

/** The request that gets a visitor's cookie, which uploads need. */
let cookie: Promise<unknown> | undefined

/** Upload a file as `api.uploadStrategy` says, and return its attachment. */
export async function transfer(
  file: File,
  api: CustomApiConfig,
  options: Transfer,
): Promise<Attachment> {
  cookie ??= call(api, 'threads.list', { limit: 1, order: 'desc' }).catch(
    () => (cookie = undefined),
  )
  await cookie
  return upload(file, api, options)
}

async function upload(
  file: File,
  api: CustomApiConfig,
  { signal, onProgress }: Transfer,
): Promise<Attachment> {
  signal.throwIfAborted()
  if (api.uploadStrategy?.type === 'direct') {
    const request = { method: 'POST', headers: {}, body: formOf(file) }
    return read(await send(api, api.uploadStrategy.uploadUrl, request, signal, onProgress))
  }
  const params = {
    name: file.name,
    size: file.size,
    mime_type: file.type || 'application/octet-stream',
  }
  // Never aborted: the response has the ID of the attachment to delete.
  const created = await call<Created>(api, 'attachments.create', params)
  const { upload_descriptor: descriptor, ...attachment } = created
  if (!descriptor) throw new TransferError()
  try {
    signal.throwIfAborted()
    await send(api, descriptor.url, requestOf(file, descriptor), signal, onProgress)
  } catch (error) {
    remove(api, attachment.id)
    throw error
  }
  return attachment as Attachment
}

/** Return the upload request that the server asks for: POST sends a form, other methods the file. */
function requestOf(file: File, descriptor: Descriptor): UploadRequest {
  const method = descriptor.method.toUpperCase()
  // These methods cannot carry the file.
  if (method === 'GET' || method === 'HEAD') throw new TransferError()
  const headers = descriptor.headers ?? {}
  if (method !== 'POST') return { method, headers, body: file }
  // Only the browser knows the boundary between the parts of its form.
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
  return { method, headers: Object.fromEntries(others), body: formOf(file) }
}

function formOf(file: File): FormData {
  const form = new FormData()
  form.append('file', file)
  return form
}

/** Delete a file from the server now; it deletes unsent files itself, but later. */
export function remove(api: CustomApiConfig, attachmentId: string): void {
  call(api, 'attachments.delete', { attachment_id: attachmentId }).catch(() => {})
}

/** Save an attached file, which this project's servers provide next to their endpoint. */
export async function download(api: CustomApiConfig, { id, name }: Attachment): Promise<void> {
  const url = new URL(`attachments/${encodeURIComponent(id)}`, absolute(api.url)).href
  const response = await (api.fetch ?? fetch)(url, { method: 'GET' })
  if (!response.ok) throw new TransferError()
  save(await response.blob(), name)
}

async function call<T>(api: CustomApiConfig, type: string, params: object): Promise<T> {
  const request = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ type, params }),
  }
  return read(await byFetch(api, api.url, request))
}

interface UploadRequest {
  method: string
  headers: Record<string, string>
  body: XMLHttpRequestBodyInit
}

/** Send with progress where possible: an app's own `fetch` reports none. */
function send(
  api: CustomApiConfig,
  url: string,
  request: UploadRequest,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<string> {
  return api.fetch === undefined
    ? byXhr(url, request, signal, onProgress)
    : byFetch(api, url, request, signal)
}

async function byFetch(
  api: CustomApiConfig,
  url: string,
  request: UploadRequest,
  signal?: AbortSignal,
): Promise<string> {
  const init = { ...request, ...(signal && { signal }) }
  const response = await (api.fetch ?? fetch)(absolute(url), init)
  const text = await response.text()
  if (!response.ok) throw refusal(text)
  return text
}

function byXhr(
  url: string,
  { method, headers, body }: UploadRequest,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<string> {
  const xhr = new XMLHttpRequest()
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => xhr.abort())
    xhr.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable && total > 0) onProgress(loaded / total)
    }
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(xhr.responseText)
      else reject(refusal(xhr.responseText))
    }
    xhr.onerror = xhr.onabort = () => reject(new TransferError())
    xhr.open(method, absolute(url))
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    xhr.send(body)
  })
}

function read<T>(text: string): T {
  try {
    const value = JSON.parse(text) as T
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // The text is not JSON.
  }
  throw new TransferError()
}

/** Return an error with the server's message for the user, if it has one. */
function refusal(text: string): TransferError {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    if (typeof error === 'string') return new TransferError(error)
  } catch {
    // Not every server gives a reason.
  }
  return new TransferError()
}

function absolute(url: string): string {
  return new URL(url, parent.document.baseURI).href
}
