/** How a file gets to the server. */

import type { CustomApiConfig } from '@openai/chatkit'

import { save } from './save'
import type { Attachment } from '../protocol/types'

export interface Transfer {
  signal: AbortSignal
  /** Told how much has gone, from 0 to 1, where that can be known. */
  onProgress: (part: number) => void
}

/** What a server says to a file that it does not take. */
export class TransferError extends Error {
  override readonly name = 'TransferError'
}

interface Descriptor {
  url: string
  method: string
  headers?: Record<string, string> | null
}

type Created = Attachment & { upload_descriptor?: Descriptor | null }

/** A visitor is known by the cookie of an answer, and uploads nothing without it. */
let known: Promise<unknown> | undefined

/** Send a file as `api.uploadStrategy` says, and return the attachment that it is now. */
export async function transfer(
  file: File,
  api: CustomApiConfig,
  how: Transfer,
): Promise<Attachment> {
  known ??= call(api, 'threads.list', { limit: 1, order: 'desc' }).catch(() => (known = undefined))
  await known
  return upload(file, api, how)
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
  // Not aborted: its answer names what there is to delete.
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

/** Return the request that sends a file as a server has asked: in a form by POST, else as it is. */
function requestOf(file: File, descriptor: Descriptor): Sent {
  const method = descriptor.method.toUpperCase()
  // A browser would send these without the file.
  if (method === 'GET' || method === 'HEAD') throw new TransferError()
  const headers = descriptor.headers ?? {}
  if (method !== 'POST') return { method, headers, body: file }
  // The browser alone knows what separates the parts of its form.
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
  return { method, headers: Object.fromEntries(others), body: formOf(file) }
}

function formOf(file: File): FormData {
  const form = new FormData()
  form.append('file', file)
  return form
}

/** Have the server forget a file. It forgets unsent ones by itself, too, but later. */
export function remove(api: CustomApiConfig, attachmentId: string): void {
  call(api, 'attachments.delete', { attachment_id: attachmentId }).catch(() => {})
}

/** Save a file that a person has attached: it is beside the endpoint of this project's servers. */
export async function download(api: CustomApiConfig, { id, name }: Attachment): Promise<void> {
  const url = new URL(`attachments/${encodeURIComponent(id)}`, absolute(api.url)).href
  const response = await (api.fetch ?? fetch)(url, { method: 'GET' })
  if (!response.ok) throw new TransferError()
  save(await response.blob(), name)
}

async function call<T>(
  api: CustomApiConfig,
  type: string,
  params: object,
  signal?: AbortSignal,
): Promise<T> {
  const request = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ type, params }),
  }
  return read(await byFetch(api, api.url, request, signal))
}

interface Sent {
  method: string
  headers: Record<string, string>
  body: XMLHttpRequestBodyInit
}

/** Send with progress where that is possible: an app's own `fetch` tells of none. */
function send(
  api: CustomApiConfig,
  url: string,
  request: Sent,
  signal: AbortSignal,
  onProgress: (part: number) => void,
): Promise<string> {
  return api.fetch === undefined
    ? byXhr(url, request, signal, onProgress)
    : byFetch(api, url, request, signal)
}

async function byFetch(
  api: CustomApiConfig,
  url: string,
  request: Sent,
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
  { method, headers, body }: Sent,
  signal: AbortSignal,
  onProgress: (part: number) => void,
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
    // It is no JSON, then.
  }
  throw new TransferError()
}

/** Return an error with what the server says to people, if it says something. */
function refusal(text: string): TransferError {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    if (typeof error === 'string') return new TransferError(error)
  } catch {
    // Not every server says why.
  }
  return new TransferError()
}

function absolute(url: string): string {
  return new URL(url, parent.document.baseURI).href
}
