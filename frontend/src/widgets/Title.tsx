import type { ComponentProps } from './Component'
import { TextLine } from './TextLine'

const SIZES = ['sm', 'md', 'lg', 'xl', '2xl', '3xl', '4xl', '5xl'] as const

export function Title({ widget }: ComponentProps) {
  return <TextLine as="h2" kind="title" sizes={SIZES} widget={widget} />
}
