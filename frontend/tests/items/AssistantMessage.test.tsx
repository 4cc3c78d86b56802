// @vitest-environment jsdom
import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'

import { AssistantMessage } from '../../src/items/AssistantMessage'
import { render } from '../render'
import { answer } from './items'

const note = (): HTMLElement | null => screen.queryByText('This answer is empty.')

test('an empty answer says so when it is complete', async () => {
  const { again } = await render(
    <AssistantMessage item={answer(' \n')} isOpen={true} />,
    () => ({}),
  )
  expect(note()).toBeNull()
  again(<AssistantMessage item={answer(' \n')} isOpen={false} />)
  expect(note()).not.toBeNull()
  again(<AssistantMessage item={answer('Hello')} isOpen={false} />)
  expect(note()).toBeNull()
})
