import type { ComponentProps } from './Component'
import { EditableText } from './EditableText'
import { TextLine } from './TextLine'
import { isFields } from './values'

const SIZES = ['xs', 'sm', 'md', 'lg', 'xl'] as const

export function Text({ widget }: ComponentProps) {
  const editable = widget['editable']
  if (isFields(editable)) return <EditableText widget={widget} editable={editable} />
  return <TextLine as="p" kind="text" sizes={SIZES} widget={widget} />
}
