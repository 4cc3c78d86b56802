/** The sources of a message, and where they are cited. */

import type { Entity } from '@openai/chatkit'

import type { Annotation } from '../protocol/types'

export interface Mark {
  /** Where the cited text ends. */
  index: number
  /** The number of the source. */
  number: number
}

export interface Source {
  number: number
  title: string
  /** Further details, such as the publisher, the date and a description. */
  detail: string
  url: string | null
  /** The entity for the app's callbacks; `null` if they do not need one. */
  entity: Entity | null
  /** The name of the file, if the source is one. */
  filename: string | null
}

export interface Cited {
  sources: Source[]
  /** For each part of the message. */
  marks: Mark[][]
}

/** Number the sources of a message's parts, each once, in the order of their citations. */
export function citedBy(parts: readonly (readonly Annotation[])[]): Cited {
  const sources = new Map<string, Source>()
  const marks = parts.map((annotations) =>
    annotations.flatMap(({ source, index }) => {
      const known = sourceOf(source, sources.size + 1)
      const key = known.url ?? `${source.type} ${known.entity?.id ?? known.title}`
      const { number } = sources.get(key) ?? known
      if (!sources.has(key)) sources.set(key, known)
      return typeof index === 'number' ? [{ index, number }] : []
    }),
  )
  return { sources: [...sources.values()], marks }
}

export function sourceOf(source: Annotation['source'], number: number): Source {
  const url = source.type === 'url' && isLink(source.url) ? source.url : null
  const from = source.type === 'url' ? (source.attribution ?? hostOf(url)) : null
  const detail = [from, source.timestamp, source.description].filter(Boolean).join(' · ')
  const filename = source.type === 'file' ? source.filename : null
  const title = source.title || filename || ''
  return { number, title, detail, url, entity: entityOf(source), filename }
}

function entityOf(source: Annotation['source']): Entity | null {
  const { title, group } = source
  const known = { title, interactive: true, ...(group && { group }) }
  if (source.type === 'file') {
    const { filename } = source
    return {
      ...known,
      id: filename,
      title: title || filename,
      icon: 'document',
      data: { type: 'file', filename },
    }
  }
  if (source.type !== 'entity') return null
  const { id, icon, data } = source
  return {
    ...known,
    id,
    interactive: source.interactive === true,
    ...(icon && { icon }),
    data: data as Record<string, string>,
  }
}

export function isLink(url: string): boolean {
  return /^(https?|chatkit-link):/i.test(url)
}

export function hostOf(url: string | null): string | null {
  return url !== null && URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : null
}
