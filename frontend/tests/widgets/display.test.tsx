// @vitest-environment jsdom
import { act, cleanup, fireEvent, screen, within } from '@testing-library/react'
import { beforeAll, expect, test, vi } from 'vitest'

import WidgetView from '../../src/widgets/WidgetView'
import type { Widget, WidgetItem } from '../../src/protocol/types'
import { render } from '../render'
import { simulateLayout } from './layout'

beforeAll(simulateLayout)

const draw = (widget: Widget, options = {}) => {
  const item = { type: 'widget', id: 'item', thread_id: 't', created_at: '', widget } as WidgetItem
  return render(<WidgetView widget={widget} item={item} />, () => 500, options)
}
const words = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ type: 'Text', value: `Word ${index}` }))
const rows = (count: number) =>
  words(count).map((word) => ({ type: 'ListViewItem', children: [word] }))

test('a large widget is drawn in parts', async () => {
  await draw({ type: 'Card', children: words(400) })
  expect(screen.getAllByText(/Word/).length).toBeLessThan(200)
  await vi.waitFor(() => expect(screen.getAllByText(/Word/)).toHaveLength(400), { timeout: 20_000 })
}, 30_000)

test('a list shows its limit of items, and all of them on request', async () => {
  const { person } = await draw({ type: 'ListView', limit: 3, children: rows(7) })
  expect(within(screen.getByRole('list')).getAllByRole('listitem')).toHaveLength(3)
  await person.click(screen.getByRole('button', { name: 'Show more' }))
  expect(screen.getAllByRole('listitem')).toHaveLength(7)
  const less = screen.getByRole('button', { name: 'Show less' })
  expect(document.activeElement).toBe(less)
  await person.click(less)
  expect(screen.getAllByRole('listitem')).toHaveLength(3)
})

test('a list item is a button named after its content', async () => {
  const onAction = vi.fn(async () => {})
  const onClickAction = { type: 'open', handler: 'client', payload: { id: 7 } }
  const children = [{ type: 'ListViewItem', onClickAction, children: words(1) }]
  const { person } = await draw({ type: 'ListView', children }, { widgets: { onAction } })
  screen.getByRole('button', { name: 'Word 0' }).focus()
  await person.keyboard('{Enter}')
  expect(onAction).toHaveBeenCalledExactlyOnceWith(
    { type: 'open', payload: { id: 7 } },
    expect.objectContaining({ id: 'item' }),
  )
})

test('an action that fails in the page says so, and can be retried', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const onAction = vi.fn(async () => Promise.reject(new Error('no')))
  const onClickAction = { type: 'open', handler: 'client' }
  const children = [{ type: 'ListViewItem', onClickAction, children: words(1) }]
  const { person } = await draw({ type: 'ListView', children }, { widgets: { onAction } })
  await person.click(screen.getByRole('button', { name: 'Word 0' }))
  expect((await screen.findByRole('alert')).textContent).toBe('That did not work.')
  await person.click(screen.getByRole('button', { name: 'Word 0' }))
  expect(onAction).toHaveBeenCalledTimes(2)
})

test('a collapsed card shows its status, and the rest on request', async () => {
  const { person } = await draw({
    type: 'Card',
    collapsed: true,
    status: { text: 'Sent', icon: 'check' },
    children: words(1),
  })
  screen.getByText('Sent')
  expect(screen.queryByText('Word 0')).toBeNull()
  await person.click(screen.getByRole('button', { name: 'Show more' }))
  screen.getByText('Word 0')
})

test('a forbidden or broken image says so in its place', async () => {
  await draw({
    type: 'Card',
    children: [
      { type: 'Image', src: 'http://plain.example/x.png', alt: 'A spy' },
      { type: 'Image', src: '/gone.png', alt: 'A ghost' },
      { type: 'Image', src: 'javascript:alert(1)', alt: 'A trick' },
    ],
  })
  screen.getByRole('img', { name: /A spy/ })
  expect(document.querySelectorAll('img')).toHaveLength(1)
  fireEvent.error(screen.getByRole('img', { name: 'A ghost' }))
  expect(screen.getByRole('img', { name: /A ghost/ }).textContent).toContain(
    'The image could not be loaded.',
  )
  expect(document.querySelectorAll('img')).toHaveLength(0)
})

test('an app decides whether widgets show images of other hosts', async () => {
  const svg = 'data:image/svg+xml;base64,PHN2Zz4='
  const card = {
    type: 'Card',
    status: { text: 'Sent', favicon: 'https://icons.example/x.png' },
    children: [
      { type: 'Image', src: 'https://shop.example/x.png', alt: 'A shoe' },
      { type: 'Image', src: svg, alt: 'A drawing' },
    ],
  }
  const sources = (): string[] => [...document.querySelectorAll('img')].map(({ src }) => src)
  await draw(card)
  expect(sources()).toEqual(['https://icons.example/x.png', 'https://shop.example/x.png', svg])
  cleanup()
  await draw(card, { widgets: { images: 'self' } })
  expect(sources()).toEqual([svg])
  expect(screen.getByRole('img', { name: /A shoe/ }).textContent).toBe('Image not shown: A shoe')
})

test('a part may have a different theme from the chat', async () => {
  await draw({ type: 'Card', theme: 'dark', children: words(1) })
  expect(screen.getByText('Word 0').closest('[data-theme]')?.getAttribute('data-theme')).toBe(
    'dark',
  )
})

test.each([
  ['above zero', [3, 5], 'bottom'],
  ['below zero', [-7, -2], 'bottom'],
  ['at zero and below', [-7, 0], 'bottom'],
  ['on both sides of zero', [-5, 5], 'middle'],
])('an area of values %s begins at the right height', async (_, values, base) => {
  await draw({
    type: 'Card',
    children: [
      {
        type: 'Chart',
        data: values.map((value, index) => ({ day: String(index), value })),
        series: [{ type: 'area', dataKey: 'value', label: 'Degrees', curveType: 'linear' }],
        xAxis: 'day',
      },
    ],
  })
  const area = await vi.waitFor(
    () => {
      const found = document.querySelector('.recharts-area-area')?.getAttribute('d')
      if (!found) throw new Error('Nothing is drawn.')
      return found
    },
    { timeout: 20_000 },
  )
  // The line, and then the base from right to left.
  const heights = [...area.matchAll(/[-\d.]+,([-\d.]+)/g)].map(([, y]) => Number(y))
  const [first = 0, last = 0, ...bases] = heights
  expect(new Set(bases).size).toBe(1)
  if (base === 'bottom') expect(bases[0]).toBeGreaterThan(Math.max(first, last) - 0.1)
  else expect(bases[0]).toBeCloseTo((first + last) / 2)
})

test('a chart has a name, and a table for those who cannot see it', async () => {
  await draw({
    type: 'Card',
    children: [
      {
        type: 'Chart',
        data: [
          { month: 'May', sold: 3 },
          { month: 'June', sold: 5 },
        ],
        xAxis: 'month',
        series: [{ type: 'bar', dataKey: 'sold', label: 'Sold' }],
      },
    ],
  })
  screen.getByRole('figure', { name: 'Chart: Sold' })
  const table = screen.getByRole('table', { name: 'Chart: Sold' })
  expect(within(table).getByRole('row', { name: 'June 5' })).toBeTruthy()
  await vi.waitFor(
    () => expect(document.querySelectorAll('.recharts-bar-rectangle')).toHaveLength(2),
    {
      timeout: 20_000,
    },
  )
}, 30_000)

test("an approval's argument is shown whole, and can be scrolled by keyboard", async () => {
  const long = `${'x\n'.repeat(5000)}rm -rf /`
  await draw({ type: 'Card', children: [{ type: 'Text', value: long, key: 'verbatim' }] })
  const text = screen.getByText(/rm -rf/)
  expect(text.textContent).toBe(long)
  expect(text.dataset['verbatim']).toBe('true')
  expect(text.tabIndex).toBe(0)
})

test("a time is shown in the reader's zone and language", async () => {
  const at = '2026-11-25T09:05:00+00:00'
  const widget = {
    type: 'Card',
    children: [
      { type: 'Caption', value: 'Approved, 25 November 2026, 09:05 UTC', key: `time:${at}` },
      { type: 'Caption', value: 'Some day', key: 'time:never' },
    ],
  }
  const { chat } = await draw(widget)
  await act(() => chat.texts.use('de'))
  const format = new Intl.DateTimeFormat('de', { dateStyle: 'long', timeStyle: 'short' })
  const time = document.querySelector('time')
  expect(time?.dateTime).toBe('2026-11-25T09:05:00.000Z')
  expect(time?.textContent).toBe(format.format(new Date(at)))
  expect(time?.parentElement?.textContent).toBe(`Approved, ${format.format(new Date(at))}`)
  screen.getByText('Some day')
})
