/** The content of a message: text with tags in it. */

import type { Entity, UserMessageContent } from '@openai/chatkit'

import type { UserMessageInput, UserMessageTagContent } from '../protocol/types'

/** A tag in the composer; its icon is not sent. */
export type TagPart = UserMessageTagContent & { icon?: string }
export type TextPart = Extract<UserMessageInput['content'][number], { type: 'input_text' }>
export type Content = readonly (TextPart | TagPart)[]

export const noContent: Content = []

export function isContent(value: unknown): value is Content {
  return (
    Array.isArray(value) &&
    value.every((part) => typeof (part as { text?: unknown } | null)?.text === 'string')
  )
}

/** Return the content that an app passed as text or parts; `undefined` if it passed neither. */
export function contentFrom(given: {
  text?: string
  content?: readonly UserMessageContent[]
}): Content | undefined {
  if (given.content) {
    return given.content.map((part) =>
      part.type === 'input_tag' ? { ...part, data: part.data ?? {} } : part,
    )
  }
  return given.text === undefined ? undefined : textContent(given.text)
}

export function textContent(text: string): Content {
  return text === '' ? noContent : [{ type: 'input_text', text }]
}

export function textOf(content: Content): string {
  return content.map((part) => (part.type === 'input_tag' ? `@${part.text}` : part.text)).join('')
}

export function isBlank(content: Content): boolean {
  return content.every((part) => part.type === 'input_text' && part.text.trim() === '')
}

/** Return the content to send: without surrounding white space, and tags without icons. */
export function sendable(content: Content): UserMessageInput['content'] {
  const parts: UserMessageInput['content'] = content.map((part) => {
    if (part.type === 'input_text') return part
    const { icon: _, ...tag } = part
    return tag
  })
  const first = parts[0]
  if (first?.type === 'input_text') parts[0] = { ...first, text: first.text.trimStart() }
  const last = parts.at(-1)
  if (last?.type === 'input_text') parts[parts.length - 1] = { ...last, text: last.text.trimEnd() }
  return parts.filter((part) => part.text !== '')
}

/** The character that stands for a tag in plain text. */
export const TAG = '\uFFFC'

/** Return text with a space before it, if it would otherwise touch the text before. */
export function spaced(before: string, text: string): string {
  return before === '' || /\s$/.test(before) ? text : ` ${text}`
}

/** Join two contents, the second on a new line. */
export function joined(first: Content, second: Content): Content {
  if (isBlank(first)) return second
  if (isBlank(second)) return first
  return [...first, { type: 'input_text', text: '\n' }, ...second]
}

export function tagOf(entity: Entity): TagPart {
  const { id, title, icon, group, data, interactive } = entity
  return {
    type: 'input_tag',
    id,
    text: title,
    data: data ?? {},
    ...(group !== undefined && { group }),
    ...(interactive !== undefined && { interactive }),
    ...(icon !== undefined && { icon }),
  }
}

export function entityOf(tag: TagPart): Entity {
  const { id, text, icon, group, data, interactive } = tag
  return {
    id,
    title: text,
    data: data as Record<string, string>,
    ...(group != null && { group }),
    ...(interactive !== undefined && { interactive }),
    ...(icon !== undefined && { icon }),
  }
}
