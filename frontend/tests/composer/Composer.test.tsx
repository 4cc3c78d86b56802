// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'

import { Composer } from '../../src/composer/Composer'
import { loadEditor } from '../../src/composer/Editor'
import type { Options } from '../../src/element/options'
import { render, type Rendered, type Server } from '../render'

beforeEach(async () => {
  await loadEditor()
  sessionStorage.clear()
  // jsdom has no layout.
  document.elementFromPoint ??= () => null
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
