// @vitest-environment jsdom
import { cleanup, render, waitFor } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'

import { NamedIcon } from '../../../src/ui/icons/NamedIcon'

afterEach(cleanup)

test.each(['bug', 'lucide:bug', 'lucide:building-2', 'lucide:alert-circle'])(
  '%s is an icon that screen readers ignore',
  async (name) => {
    const { container } = render(<NamedIcon name={name} />)
    await waitFor(() => expect(container.querySelector('svg *')).not.toBeNull(), {
      timeout: 20_000,
    })
    expect(container.querySelector('[aria-hidden]')).not.toBeNull()
  },
  // In tests, Lucide consists of two thousand files.
  30_000,
)

test.each([
  'no-such',
  'constructor',
  'vendor:x',
  'lucide:',
  'lucide:no-such',
  'lucide:create-icons',
])('%s shows none', async (name) => {
  const { container } = render(
    <>
      <NamedIcon name={name} />
      <NamedIcon name="bug" />
    </>,
  )
  await waitFor(() => expect(container.querySelectorAll('svg')).toHaveLength(1))
})
