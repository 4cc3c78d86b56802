/** Exports a thread as Markdown. */

import type { StructuredInputItem, ThreadItem, WorkflowItem } from '../protocol/types'
import { withMarkedSource } from '../markdown/grammar/marks'
import { citedBy } from '../markdown/sources'
import type { Say } from '../i18n/texts'

/** Return the Markdown of the items that users see in a thread. */
export function threadAsMarkdown(title: string, items: readonly ThreadItem[], say: Say): string {
  const parts = items.flatMap((item) => itemAsMarkdown(item, say) ?? [])
  return `${[`# ${title}`, ...parts].join('\n\n')}\n`
}

function itemAsMarkdown(item: ThreadItem, say: Say): string | null {
  switch (item.type) {
    case 'user_message': {
      const quote = item.quoted_text ? `${quoted(item.quoted_text)}\n\n` : ''
      const text = item.content
        .map((part) => (part.type === 'input_tag' ? `@${part.text}` : part.text))
        .join('')
      const files = (item.attachments ?? []).map((attachment) => `\n- ${attachment.name}`).join('')
      return `## ${say('you')}\n\n${quote}${text}${files && `\n${files}`}`
    }
    case 'assistant_message': {
      const { sources, marks } = citedBy(item.content.map((part) => part.annotations ?? []))
      const texts = item.content.map((part, index) =>
        withMarkedSource(part.text, marks[index] ?? []),
      )
      const listed = sources.map(
        ({ number, title, url }) => `${number}. ${url === null ? title : `[${title}](${url})`}`,
      )
      return [
        `## ${say('assistant')}`,
        ...texts,
        ...(listed.length ? [listed.join('\n')] : []),
      ].join('\n\n')
    }
    case 'workflow':
      return tasksAsMarkdown(item.workflow.tasks, say)
    case 'task':
      return tasksAsMarkdown([item.task], say)
    case 'widget':
      return item.copy_text ?? null
    case 'structured_input':
      return item.inputs
        .map((question) => `- ${question.question}: ${answerTo(question, say)}`)
        .join('\n')
    case 'generated_image': {
      // An image's bytes would make the file unreadable.
      const url = item.image?.url ?? ''
      return url.startsWith('data:') || url === ''
        ? say('generatedImage')
        : `![${say('generatedImage')}](${url})`
    }
    default:
      return null
  }
}

function tasksAsMarkdown(tasks: WorkflowItem['workflow']['tasks'], say: Say): string | null {
  const lines = tasks.flatMap((task) => {
    const title = task.title || (task.type === 'web_search' ? say('search') : '')
    const queries = task.type === 'web_search' ? (task.queries ?? []).join(', ') : ''
    const content = 'content' in task ? (task.content ?? '') : queries
    const line = [title, content].filter((part) => part !== '').join(': ')
    return line === '' ? [] : [`- ${line.replaceAll('\n', '\n  ')}`]
  })
  return lines.length === 0 ? null : lines.join('\n')
}

function answerTo({ answer }: StructuredInputItem['inputs'][number], say: Say): string {
  return answer && !answer.skipped ? (answer.values ?? []).join(', ') : say('skipped')
}

function quoted(text: string): string {
  return text.replaceAll(/^/gm, '> ')
}
