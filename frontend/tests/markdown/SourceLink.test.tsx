// @vitest-environment jsdom
import { act, screen } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'

import { TaskView } from '../../src/items/Task'
import { SourceLink } from '../../src/markdown/SourceLink'
import { sourceOf } from '../../src/markdown/sources'
import type { Options } from '../../src/element/options'
import type { Annotation, Attachment } from '../../src/protocol/types'
import { item } from '../items/items'
import { PreviewWidgetContext } from '../../src/ui/context'
import WidgetView from '../../src/widgets/WidgetView'
import { render } from '../render'

const file: Annotation['source'] = { type: 'file', title: 'Q2 report', filename: 'q2.pdf' }
const entity = { id: 'q2.pdf', title: 'Q2 report', icon: 'document', interactive: true }
const given = { ...entity, data: { type: 'file', filename: 'q2.pdf' } }
const sent: Attachment = { type: 'file', id: 'atc 1', name: 'q2.pdf', mime_type: 'application/pdf' }
const saved: string[] = []

beforeEach(() => {
  saved.length = 0
  URL.createObjectURL = () => 'blob:a'
  URL.revokeObjectURL = () => {}
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    saved.push(this.download)
  })
})

async function draw(
  source: Annotation['source'],
  options: Partial<Options>,
  attached?: Attachment,
) {
  const source_ = sourceOf(source, 1)
  const rendered = await render(
    <PreviewWidgetContext value={WidgetView}>
      <SourceLink source={source_}>{source_.title}</SourceLink>
    </PreviewWidgetContext>,
    () => 500,
    options,
  )
  const { chat } = rendered
  const attachments = attached ? [attached] : []
  const message = item('user_message', { content: [], attachments, inference_options: {} })
  act(() => chat.state.set({ thread: { ...chat.state.get().thread, items: [message] } }))
  return rendered
}

test('a click on a file notifies the app, even if the user attached the file', async () => {
  const onClick = vi.fn()
  const { person } = await draw(file, { entities: { onClick } }, sent)
  await person.click(screen.getByRole('button', { name: 'Q2 report' }))
  expect(onClick.mock.calls).toEqual([[given]])
  expect(saved).toEqual([])
})

test('a file without a title is shown by its name', async () => {
  const onClick = vi.fn()
  const { person } = await draw({ ...file, title: '' }, { entities: { onClick } })
  await person.click(screen.getByRole('button', { name: 'q2.pdf' }))
  expect(onClick.mock.calls).toEqual([[{ ...given, title: 'q2.pdf' }]])
})

test('a file is plain text if the app does not handle clicks', async () => {
  await draw(file, {})
  expect(screen.getByText('Q2 report').tagName).toBe('SPAN')
  expect(screen.queryByRole('button')).toBeNull()
})

test('a file that the user attached can be saved', async () => {
  const { person, chat } = await draw(file, {}, sent)
  const asked: string[] = []
  let status = 500
  const fetch = async (url: unknown): Promise<Response> => {
    asked.push(String(url))
    return new Response('%PDF', { status })
  }
  const options = chat.state.get().options!
  const api = { ...options.api, url: 'http://chat.test/a/chatkit', fetch } as Options['api']
  act(() => chat.state.set({ options: { ...options, api } }))
  const link = screen.getByRole('button', { name: 'Q2 report' })
  await person.click(link)
  expect((await screen.findByRole('alert')).textContent).toBe('That did not work.')
  status = 200
  await person.click(link)
  await vi.waitFor(() => expect(saved).toEqual(['q2.pdf']))
  expect(screen.queryByRole('alert')).toBeNull()
  expect(new Set(asked)).toEqual(new Set(['http://chat.test/a/attachments/atc%201']))
})

test('an image that the user attached opens', async () => {
  const preview_url = 'https://files.test/q2.png'
  await draw(file, {}, { ...sent, type: 'image', preview_url })
  expect(screen.getByRole('link', { name: 'Q2 report' }).getAttribute('href')).toBe(preview_url)
})

test('a file has a preview if the app provides one', async () => {
  const preview = { type: 'Basic', children: [{ type: 'Text', value: 'Page 1' }] } as const
  const onRequestPreview = vi.fn(async () => ({ preview: preview as never }))
  const { person } = await draw(file, { entities: { onRequestPreview } })
  await vi.waitFor(async () => {
    await person.unhover(screen.getByRole('button', { name: 'Q2 report' }))
    await person.hover(screen.getByRole('button', { name: 'Q2 report' }))
    expect(await screen.findByText('Page 1', {}, { timeout: 2_000 })).toBeTruthy()
  }, 20_000)
  expect(onRequestPreview).toHaveBeenCalledWith(given)
}, 30_000)

test('only interactive entities can be clicked', async () => {
  const onClick = vi.fn()
  const person_ = {
    type: 'entity',
    id: 'e1',
    title: 'Ada',
    data: { a: 'b' },
    interactive: true,
  } as const
  const { person } = await draw(person_, { entities: { onClick } })
  await person.click(screen.getByRole('button', { name: 'Ada' }))
  expect(onClick.mock.calls).toEqual([
    [{ id: 'e1', title: 'Ada', interactive: true, data: { a: 'b' } }],
  ])
  await draw({ ...person_, title: 'Bob', interactive: false }, { entities: { onClick } })
  expect(screen.getByText('Bob').tagName).toBe('SPAN')
})

test('the files of a step can be clicked, too', async () => {
  const onClick = vi.fn()
  const task = { type: 'file' as const, title: 'Read files', sources: [file] }
  const { person } = await render(<TaskView task={task} isLive={false} />, () => 404, {
    entities: { onClick },
  })
  await person.click(screen.getByRole('button', { name: 'Q2 report' }))
  expect(onClick.mock.calls).toEqual([[given]])
})
