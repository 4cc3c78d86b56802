// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'

import { Composer } from '../../src/composer/Composer'
import { loadEditor } from '../../src/composer/Editor'
import type { Upload } from '../../src/chat/uploads'
import type { Options } from '../../src/element/options'
import { render, type Rendered, type Server } from '../render'

beforeEach(async () => {
  await loadEditor()
  sessionStorage.clear()
  // jsdom has no layout.
  document.elementFromPoint ??= () => null
  Element.prototype.scrollIntoView ??= () => {}
  Range.prototype.getClientRects ??= () => [] as unknown as DOMRectList
  Range.prototype.getBoundingClientRect ??= () => new DOMRect()
})

const refuse: Server = () => 503
const box = (): HTMLElement => screen.getByRole('textbox', { name: 'Message' })
const paste = (text: string): void => {
  const clipboardData = { getData: () => text, files: [], types: ['text/plain'] }
  fireEvent.paste(box(), { clipboardData })
}
const composer = (options: Partial<Options> = {}, server = refuse): Promise<Rendered> =>
  render(<Composer />, server, options)

test('Enter sends the text, which returns if the server rejects it', async () => {
  const server = vi.fn(refuse)
  await composer({}, server)
  paste('One\r\nTwo')
  expect([...box().querySelectorAll('p')].map((line) => line.textContent)).toEqual(['One', 'Two'])
  fireEvent.keyDown(box(), { key: 'Enter' })
  const content = [{ type: 'input_text', text: 'One\nTwo' }]
  await waitFor(() => expect(server).toHaveBeenCalled())
  expect(server.mock.calls[0]?.[1]).toMatchObject({ input: { content } })
  await waitFor(() => expect(box().textContent).toBe('OneTwo'))
})

/** Show a file of the draft, without a server that takes it. */
function showFile({ chat }: Rendered, change: Partial<Upload>): void {
  const attachment = { type: 'file', id: 'f1', name: 'a.txt', mime_type: 'text/plain' } as const
  const file = { key: 1, name: 'a.txt', mimeType: 'text/plain', preview: null, progress: null }
  const files = [
    { ...file, attachment: attachment as Upload['attachment'], error: null, ...change },
  ]
  act(() => chat.state.get().draft.uploads.state.set({ files }))
}
const uploading = { attachment: null }
const waits = 'The message is sent when the files are uploaded.'

test('Enter during an upload sends the message when the file is uploaded', async () => {
  const server = vi.fn(refuse)
  const rendered = await composer({}, server)
  showFile(rendered, uploading)
  paste('Read this')
  expect(screen.queryByText(waits)).toBeNull()
  fireEvent.keyDown(box(), { key: 'Enter' })
  expect(screen.getAllByRole('status').map((each) => each.textContent)).toContain(waits)
  showFile(rendered, { ...uploading, progress: 0.5 })
  expect(server).not.toHaveBeenCalled()
  showFile(rendered, {})
  await waitFor(() => expect(server).toHaveBeenCalledOnce())
  const content = [{ type: 'input_text', text: 'Read this' }]
  expect(server.mock.calls[0]?.[1]).toMatchObject({ input: { content, attachments: ['f1'] } })
  expect(screen.queryByText(waits)).toBeNull()
})

test('a message that waits for its files is sent after a visit to another chat', async () => {
  const server = vi.fn(refuse)
  const rendered = await composer({}, server)
  showFile(rendered, uploading)
  paste('Read this')
  fireEvent.keyDown(box(), { key: 'Enter' })
  rendered.again(null)
  showFile(rendered, {})
  rendered.again(<Composer />)
  await waitFor(() => expect(server).toHaveBeenCalledOnce())
})

test('a message that waits for its files stays if it is changed, or a file fails', async () => {
  const server = vi.fn(refuse)
  const rendered = await composer({}, server)
  showFile(rendered, uploading)
  paste('Read this')
  fireEvent.keyDown(box(), { key: 'Enter' })
  paste(' and that')
  expect(screen.queryByText(waits)).toBeNull()
  showFile(rendered, {})
  showFile(rendered, uploading)
  fireEvent.keyDown(box(), { key: 'Enter' })
  screen.getByText(waits)
  showFile(rendered, { ...uploading, error: 'It is full.' })
  screen.getByText(/^Try the failed files again/)
  showFile(rendered, uploading)
  showFile(rendered, {})
  expect(server).not.toHaveBeenCalled()
  fireEvent.keyDown(box(), { key: 'Enter' })
  await waitFor(() => expect(server).toHaveBeenCalledOnce())
})

test('while an input method composes, Enter belongs to it', async () => {
  const server = vi.fn(refuse)
  await composer({}, server)
  paste('にほん')
  fireEvent.keyDown(box(), { key: 'Enter', isComposing: true })
  fireEvent.keyDown(box(), { key: 'Enter', keyCode: 229 })
  expect(server).not.toHaveBeenCalled()
})

test('an app fills the composer with tags, and receives their clicks', async () => {
  const onClick = vi.fn()
  const { chat, person } = await composer({ entities: { onClick } })
  const tag = { type: 'input_tag' as const, id: 'kari', text: 'Kari', data: { team: 'sea' } }
  await act(() =>
    chat.setComposerValue({
      content: [
        { type: 'input_text', text: 'Ask ' },
        { ...tag, interactive: true },
        { type: 'input_text', text: ' or ' },
        { ...tag, text: 'Ola' },
      ],
    }),
  )
  expect(box().textContent).toBe('Ask @Kari or @Ola')
  expect(screen.queryByRole('button', { name: '@Ola' })).toBeNull()
  await person.click(screen.getByRole('button', { name: '@Kari' }))
  expect(onClick).toHaveBeenCalledWith({
    id: 'kari',
    title: 'Kari',
    data: { team: 'sea' },
    interactive: true,
  })
})

test('a quote can be removed', async () => {
  const { chat, person } = await composer()
  act(() => chat.setDraft({ reply: 'What was said' }))
  screen.getByText('What was said')
  await person.click(screen.getByRole('button', { name: 'Remove quote' }))
  expect(screen.queryByText('What was said')).toBeNull()
})

test('only features of the app are offered', async () => {
  await composer({ composer: { attachments: { enabled: false }, dictation: { enabled: false } } })
  const names = screen.getAllByRole('button').map((button) => button.getAttribute('aria-label'))
  expect(names).toEqual(['Send'])
  expect(screen.getByRole('button', { name: 'Send' })).toHaveProperty('disabled', true)
})

test('a browser without a microphone says so', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { person } = await composer({ composer: { dictation: { enabled: true } } })
  await person.click(screen.getByRole('button', { name: 'Dictate' }))
  expect((await screen.findByRole('alert')).textContent).toMatch(/^The microphone cannot be used/)
})

test('the button shows that the answer is being stopped', async () => {
  const { person } = await composer({}, () => new Promise(() => {}))
  paste('Go')
  fireEvent.keyDown(box(), { key: 'Enter' })
  const stop = await screen.findByRole('button', { name: 'Stop' })
  expect(stop.getAttribute('aria-busy')).toBeNull()
  await person.click(stop)
  expect(screen.getByRole('button', { name: 'Stop', busy: true })).toBe(stop)
})
