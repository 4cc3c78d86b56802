/** `npm run e2e`. The tests share a browser and a server. Three at once use two cores well. */

import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    globalSetup: join(import.meta.dirname, 'shared.ts'),
    testTimeout: 60_000,
    hookTimeout: 90_000,
    maxWorkers: 3,
  },
})
