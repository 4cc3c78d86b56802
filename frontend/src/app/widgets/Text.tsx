import type { ComponentProps } from './Component'
import { TextLine } from './TextLine'

const SIZES = ['xs', 'sm', 'md', 'lg', 'xl'] as const

export function Text({ widget }: ComponentProps) {
  return <TextLine as="p" kind="text" sizes={SIZES} widget={widget} />
}
