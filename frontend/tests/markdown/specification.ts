/** The examples of CommonMark's specification. */

import { createRequire } from 'node:module'

interface Example {
  markdown: string
  section: string
  number: number
}

const { tests } = createRequire(import.meta.url)('commonmark-spec') as { tests: Example[] }

/** All examples except those of HTML, which is rendered differently here. */
export const EXAMPLES = tests
  .filter(({ section }) => section !== 'HTML blocks' && section !== 'Raw HTML')
  .map((each) => ({ ...each, markdown: each.markdown.replaceAll('→', '\t') }))
