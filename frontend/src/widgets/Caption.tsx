import type { ComponentProps } from './Component'
import { TextLine } from './TextLine'

const SIZES = ['sm', 'md', 'lg'] as const

export function Caption({ widget }: ComponentProps) {
  return <TextLine as="p" kind="caption" sizes={SIZES} widget={widget} />
}
