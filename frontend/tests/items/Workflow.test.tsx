// @vitest-environment jsdom
import { screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'

import { WorkflowView } from '../../src/items/Workflow'
import { render } from '../render'
import { workflow } from './items'

const thoughts = [{ type: 'thought' as const, content: 'The person asks for rain.' }]

test('reasoning is open while it streams, then collapses and shows its duration', async () => {
  const item = workflow({ type: 'reasoning', tasks: thoughts })
  const { person, again } = await render(<WorkflowView item={item} isOpen />, () => 404)
  screen.getByRole('button', { name: 'Thinking', expanded: true })
  screen.getByText('The person asks for rain.')
  const done = workflow({ type: 'reasoning', tasks: thoughts, summary: { duration: 75 } })
  again(<WorkflowView item={done} isOpen={false} />)
  const button = screen.getByRole('button', { name: 'Thought for 1 minute, 15 seconds' })
  expect(button.getAttribute('aria-expanded')).toBe('false')
  expect(screen.queryByText('The person asks for rain.')).toBeNull()
  await person.click(button)
  screen.getByText('The person asks for rain.')
})

test("the user's choice to collapse or expand is kept at the end", async () => {
  const item = workflow({ type: 'reasoning', tasks: thoughts })
  const { person, again } = await render(<WorkflowView item={item} isOpen />, () => 404)
  await person.click(screen.getByRole('button'))
  await person.click(screen.getByRole('button'))
  again(<WorkflowView item={item} isOpen={false} />)
  screen.getByRole('button', { expanded: true })
})

test('a focused link keeps the workflow open', async () => {
  const tasks = [
    {
      type: 'web_search' as const,
      sources: [{ type: 'url' as const, title: 'A', url: 'https://a.test' }],
    },
  ]
  const { again } = await render(<WorkflowView item={workflow({ tasks })} isOpen />, () => 404)
  screen.getByRole('link').focus()
  again(<WorkflowView item={workflow({ tasks })} isOpen={false} />)
  expect(document.activeElement).toBe(screen.getByRole('link'))
})

test('a file that the agent produced stays in view', async () => {
  const url = 'https://files.test/a.pdf'
  const file = { type: 'file' as const, title: 'a.pdf', filename: 'a.pdf', description: url }
  const item = workflow({ tasks: [...thoughts, { type: 'file', title: 'a.pdf', sources: [file] }] })
  const { person } = await render(<WorkflowView item={item} isOpen={false} />, () => 404)
  screen.getByRole('button', { expanded: false })
  expect(screen.queryByText('The person asks for rain.')).toBeNull()
  const link = screen.getByRole('link', { name: /^a.pdf ?files.test/ })
  expect(link.getAttribute('href')).toBe(url)
  await person.click(link)
  screen.getByRole('button', { expanded: false })
})

test('an expanded workflow stays expanded, with its own title', async () => {
  const item = workflow({ expanded: true, tasks: thoughts, summary: { title: 'Looked around' } })
  await render(<WorkflowView item={item} isOpen={false} />, () => 404)
  screen.getByRole('button', { name: 'Looked around', expanded: true })
})

test.each([
  [undefined, 'Worked'],
  [{ duration: 0 }, 'Worked'],
  [{ duration: 1 }, 'Worked for 1 second'],
  [{ duration: 3725 }, 'Worked for 1 hour, 2 minutes'],
])('with the summary %j it is called %s', async (summary, title) => {
  const item = workflow({ tasks: thoughts, ...(summary && { summary }) })
  await render(<WorkflowView item={item} isOpen={false} />, () => 404)
  screen.getByRole('button', { name: title })
})

test('a running workflow has the title of its last step', async () => {
  const tasks = [
    { type: 'custom' as const, title: 'Get forecast', status_indicator: 'complete' as const },
    { type: 'custom' as const, title: 'Ask the harbor', status_indicator: 'loading' as const },
  ]
  await render(<WorkflowView item={workflow({ tasks })} isOpen />, () => 404)
  screen.getByRole('button', { name: 'Ask the harbor' })
  const [first, second] = screen.getAllByRole('listitem')
  within(first as HTMLElement).getByText('Done')
  within(second as HTMLElement).getByText('Running')
})

test('a workflow without steps is only text', async () => {
  await render(<WorkflowView item={workflow({ type: 'reasoning' })} isOpen />, () => 404)
  screen.getByText('Thinking')
  expect(screen.queryByRole('button')).toBeNull()
})
