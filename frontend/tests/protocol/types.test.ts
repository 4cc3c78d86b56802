import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { generate } from '../../scripts/protocol_types.mjs'
import { output } from '../python'

test('the types are those of the installed protocol', async () => {
  const types = readFileSync(new URL('../../src/protocol/types.ts', import.meta.url), 'utf8')
  expect(await generate(await output(['frontend/scripts/protocol_schema.py']))).toBe(types)
})
