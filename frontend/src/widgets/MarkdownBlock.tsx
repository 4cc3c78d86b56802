import { Markdown as MarkdownText } from '../markdown/Markdown'
import type { ComponentProps } from './Component'
import { isTrue, textOf } from './values'

export function Markdown({ widget }: ComponentProps) {
  return (
    <MarkdownText
      text={textOf(widget['value'])}
      isOpen={isTrue(widget['streaming'])}
      keepsLines={false}
    />
  )
}
