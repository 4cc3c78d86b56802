// Makes the types of the protocol from their JSON schema; as a program, from stdin to stdout.
import { pathToFileURL } from 'node:url'

import { compile } from 'json-schema-to-typescript'

/**
 * @param {string} schema
 * @returns {Promise<string>}
 */
export function generate(schema) {
  return compile(JSON.parse(schema), 'Protocol', {
    bannerComment: '/** Generated from the Python package chatkit by `npm run types`. */',
    additionalProperties: false,
    style: { semi: false, singleQuote: true, printWidth: 100 },
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  let schema = ''
  for await (const chunk of process.stdin) schema += chunk
  process.stdout.write(await generate(schema))
}
