/** `npm run e2e`. The tests share a browser and a server. Three at once use two cores well. */

import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

import { PATIENCE } from './patience.ts'

export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    globalSetup: join(import.meta.dirname, 'shared.ts'),
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: PATIENCE } },
    maxWorkers: 3,
  },
})
