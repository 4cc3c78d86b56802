/** `npm run e2e`. The tests share a browser and a server. Three at once use two cores well. */

import { join } from 'node:path'

import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

import { PATIENCE } from './patience.ts'

/** The files that take longest. They start first, so that none of them is left for the end. */
const LONGEST = /(?:live|gallery|states|around)\.test\.ts$/

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isShort = ({ moduleId }: TestSpecification): number => (LONGEST.test(moduleId) ? 0 : 1)
    return (await super.sort(files)).sort((a, b) => isShort(a) - isShort(b))
  }
}

export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    globalSetup: join(import.meta.dirname, 'shared.ts'),
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: PATIENCE } },
    maxWorkers: 3,
    // A worker imports Playwright once, instead of for each file.
    isolate: false,
    // A browser, servers and tests share two cores. The report names each test that was run again.
    retry: 1,
    sequence: { sequencer: LongestFirst },
  },
})
