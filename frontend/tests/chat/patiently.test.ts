import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { patiently } from '../../src/chat/patiently'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a part is loaded again while the server restarts', async () => {
  const load = vi.fn().mockRejectedValueOnce(new Error()).mockRejectedValueOnce(new Error())
  load.mockResolvedValue('part')
  const loading = patiently(load)
  await vi.runAllTimersAsync()
  expect(await loading).toBe('part')
  expect(load).toHaveBeenCalledTimes(3)
})

test('a missing part is not requested forever', async () => {
  const loading = patiently(() => Promise.reject(new Error('It is gone.')))
  const failure = expect(loading).rejects.toThrow('It is gone.')
  await vi.runAllTimersAsync()
  await failure
})
