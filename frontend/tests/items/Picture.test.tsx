// @vitest-environment jsdom
import { cleanup, fireEvent, screen } from '@testing-library/react'
import { beforeAll, expect, test } from 'vitest'

import { Picture } from '../../src/items/Picture'
import { render } from '../render'
import { item } from './items'

const url = 'data:image/png;base64,AAAA'
const drawn = item('generated_image', { image: { id: 'i', url } })
const empty = item('generated_image', { image: null })

beforeAll(() => {
  // jsdom lacks these methods of dialogs.
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
    this.open = false
    this.dispatchEvent(new Event('close'))
  }
})

test('an unfinished image shows its progress', async () => {
  const { again } = await render(<Picture item={empty} isOpen progress={null} />, () => 404)
  screen.getByText('Drawing…')
  expect(screen.queryByRole('progressbar')).toBeNull()
  again(<Picture item={drawn} isOpen progress={0.4} />)
  expect(screen.getByRole<HTMLProgressElement>('progressbar').value).toBe(0.4)
  screen.getByRole('img', { name: 'Generated image' })
  again(<Picture item={drawn} isOpen={false} progress={null} />)
  screen.getByRole('button', { name: 'Open image Generated image' })
  expect(screen.queryByText('Drawing…')).toBeNull()
})

test('an image opens large, and can be saved', async () => {
  const { person } = await render(
    <Picture item={drawn} isOpen={false} progress={null} />,
    () => 404,
  )
  await person.click(screen.getByRole('button', { name: 'Open image Generated image' }))
  screen.getByRole('dialog', { name: 'Generated image' })
  const link = screen.getByRole('link', { name: 'Download' })
  expect(link.getAttribute('href')).toBe(url)
  expect(link.getAttribute('download')).toBe('Generated image')
  await person.click(screen.getByRole('button', { name: 'Close' }))
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('a missing or broken image says so', async () => {
  const { again } = await render(<Picture item={empty} isOpen={false} progress={null} />, () => 404)
  screen.getByText('The image could not be loaded.')
  again(<Picture item={drawn} isOpen={false} progress={null} />)
  fireEvent.error(screen.getByRole('img', { name: 'Generated image' }))
  screen.getByText('The image could not be loaded.')
  const other = { ...drawn, image: { id: 'j', url: `${url}AAAA` } }
  again(<Picture item={other} isOpen={false} progress={null} />)
  screen.getByRole('button', { name: 'Open image Generated image' })
})

test('an external image is loaded unless the app forbids it', async () => {
  const remote = item('generated_image', { image: { id: 'i', url: 'https://images.test/a.png' } })
  const picture = <Picture item={remote} isOpen={false} progress={null} />
  await render(picture, () => 404)
  screen.getByRole('button', { name: 'Open image Generated image' })
  cleanup()
  await render(picture, () => 404, { widgets: { images: 'self' } })
  screen.getByText('Image not shown: Generated image')
  expect(screen.queryByRole('img')).toBeNull()
})
