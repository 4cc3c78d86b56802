// @vitest-environment jsdom
import { screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import WidgetView from '../../src/widgets/WidgetView'
import type { Widget, WidgetItem } from '../../src/protocol/types'
import { render, type Server } from '../render'

const nothing: Server = () => 500

function itemOf(widget: Widget): WidgetItem {
  return {
    type: 'widget',
    id: 'item',
    thread_id: 'thread',
    created_at: '2026-01-01T00:00:00',
    widget,
    copy_text: null,
  }
}

test('an unknown or broken component does not affect the others', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const broken = {
    type: 'Text',
    get value(): string {
      throw new Error('broken')
    },
  }
  const widget: Widget = {
    type: 'Card',
    children: [
      { type: 'Text', value: 'First' },
      { type: 'Hologram', value: 'Nobody draws this' },
      broken,
      { type: 'Text', value: 'Last' },
    ],
  }
  await render(<WidgetView widget={widget} item={itemOf(widget)} />, nothing)
  screen.getByText('First')
  screen.getByText('Last')
  expect(screen.getAllByText('This part cannot be shown.')).toHaveLength(2)
})

test('extremely nested components are cut off', async () => {
  let widget: Widget = { type: 'Text', value: 'The end' }
  for (let depth = 0; depth < 1000; depth++) widget = { type: 'Col', children: [widget] }
  await render(<WidgetView widget={{ type: 'Basic', children: [widget] }} />, nothing)
  screen.getByText('This part cannot be shown.')
  expect(screen.queryByText('The end')).toBeNull()
})
