// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'

import { Boundary } from '../../src/ui/Boundary'

afterEach(cleanup)

function Word({ word }: { word: string | null }) {
  return <p>{(word as string).toUpperCase()}</p>
}

test('a part that cannot be drawn is replaced until it changes', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const shown = (word: string | null) => (
    <Boundary fallback={<p>Not drawn</p>}>
      <Word word={word} />
    </Boundary>
  )
  const { rerender } = render(shown(null))
  screen.getByText('Not drawn')
  rerender(shown('well'))
  screen.getByText('WELL')
  rerender(shown(null))
  screen.getByText('Not drawn')
  expect(screen.queryByText('WELL')).toBeNull()
})
