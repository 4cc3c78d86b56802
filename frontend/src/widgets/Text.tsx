import type { ComponentProps } from './Component'
import { EditableText } from './EditableText'
import { TextLine } from './TextLine'
import { isObject } from '../chat/isObject'

const SIZES = ['xs', 'sm', 'md', 'lg', 'xl'] as const

export function Text({ widget }: ComponentProps) {
  const editable = widget['editable']
  if (isObject(editable)) return <EditableText widget={widget} editable={editable} />
  return <TextLine as="p" kind="text" sizes={SIZES} widget={widget} />
}
