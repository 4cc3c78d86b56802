// @vitest-environment jsdom
import { screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'

import { TaskView, type Task } from '../../src/items/Task'
import { render } from '../render'

const draw = (task: Task, isLive = false) =>
  render(<TaskView task={task} isLive={isLive} />, () => 404)

test.each<[Task, boolean, string | null]>([
  [{ type: 'custom', title: 'Step', status_indicator: 'loading' }, true, 'Running'],
  [{ type: 'custom', title: 'Step', status_indicator: 'loading' }, false, null],
  [{ type: 'custom', title: 'Step', status_indicator: 'complete' }, false, 'Done'],
  [{ type: 'custom', title: 'Step', icon: 'lucide:circle-x' }, false, 'Failed'],
  [{ type: 'custom', title: 'Step', status_indicator: 'none' }, true, null],
  [{ type: 'custom', title: 'Step' }, true, null],
])('%j, live: %s, says %s', async (task, isLive, status) => {
  await draw(task, isLive)
  const said = screen.getByText('Step').textContent?.replace('Step', '').trim()
  expect(said).toBe(status ?? '')
})

test('a search shows its queries and sources', async () => {
  const sources = Array.from({ length: 7 }, (_, number) => ({
    type: 'url' as const,
    title: `Report ${number}`,
    url: `https://met.test/${number}`,
  }))
  const { person } = await draw({
    type: 'web_search',
    title_query: 'rain',
    queries: ['rain', 'weather'],
    sources,
  })
  screen.getByText('Search')
  expect(screen.getAllByText(/^(rain|weather)$/)).toHaveLength(2)
  expect(screen.getAllByRole('link')).toHaveLength(5)
  const first = screen.getByRole('link', { name: /Report 0/ })
  expect(first.getAttribute('rel')).toContain('noreferrer')
  expect(document.querySelector('img')).toBeNull()
  await person.click(screen.getByRole('button', { name: /Show more/ }))
  expect(screen.getAllByRole('link')).toHaveLength(7)
  await person.click(screen.getByRole('button', { name: 'Show less' }))
  expect(screen.getAllByRole('link')).toHaveLength(5)
})

test.each(['javascript:alert(1)', 'data:text/html,x', 'no url', ''])(
  'a source at %j is not a link',
  async (url) => {
    await draw({ type: 'web_search', sources: [{ type: 'url', title: 'Harm', url }] })
    screen.getByText('Harm')
    expect(screen.queryByRole('link')).toBeNull()
  },
)

test('files are shown by title, or else by name', async () => {
  await draw({
    type: 'file',
    title: 'Read files',
    sources: [
      { type: 'file', title: 'Port log', filename: 'log.pdf' },
      { type: 'file', title: '', filename: 'b.pdf' },
    ],
  })
  screen.getByText('Port log')
  screen.getByText('b.pdf')
})

test('a file that gives the task its title is shown once', async () => {
  const file = { type: 'file' as const, title: 'log.pdf', filename: 'log.pdf' }
  await draw({ type: 'file', title: 'log.pdf', sources: [file] })
  expect(screen.getAllByText('log.pdf')).toHaveLength(1)
})

test('a thought is Markdown, and an image has a name', async () => {
  await draw({ type: 'thought', content: 'It **rains**.' })
  await waitFor(() => screen.getByText('rains', { selector: 'strong' }), {
    timeout: 10_000,
  })
  await draw({ type: 'image' })
  screen.getByText('Image')
}, 20_000)
