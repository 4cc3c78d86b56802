/** Checks that the built files load nothing from other origins. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { expect, test } from 'vitest'

import { root } from './python'

const built = `${root}/src/agent_framework_chatkit/frontend`

/** Addresses of other origins: with a scheme, or as styles and imports can write them. */
const ADDRESS =
  /(?:https?|wss?):\/\/([\w.-]+)|(?:url\(\s*["']?|@import\s*["']|import\(?\s*["'`]|from\s*["'`])\/\/([\w.-]+)/g

/** Names and words in the code of libraries, none of which is loaded. */
const WORDS: Record<string, string> = {
  'www.w3.org': 'the names of XML namespaces',
  'react.dev': 'where an error of React is explained',
  'github.com': 'the same of Markdown and of a language that is colored',
  'bit.ly': 'the same of charts',
  'prosemirror.net': 'the same of the editor',
  'redux.js.org': 'the same of charts',
  'redux-toolkit.js.org': 'the same of charts',
  'example.com': 'the base against which relative addresses are read, in order to check them',
  'www.ibm.com': 'a comment of a library on what it does',
  'tailwindcss.com': 'the license of the styles',
}

function hostsIn(text: string): string[] {
  return [...text.matchAll(ADDRESS)].map((match) => match[1] ?? match[2] ?? '')
}

test.skipIf(!existsSync(built))(
  'the built files name no host that they could ask for anything',
  () => {
    const found = ['', 'ui/'].flatMap((folder) =>
      readdirSync(`${built}/${folder}`)
        .filter((name) => /\.(js|css|html|json)$/.test(name))
        .flatMap((name) =>
          hostsIn(readFileSync(`${built}/${folder}${name}`, 'utf8')).map(
            (host) => `${name}: ${host}`,
          ),
        ),
    )
    const strange = found.filter((each) => !((each.split(': ')[1] ?? '') in WORDS))
    expect([...new Set(strange)]).toEqual([])
  },
)

test.each([
  'a{background:url(https://evil.test/a.png)}',
  'a{background:url("//evil.test/a.png")}',
  '@import "//evil.test/a.css"',
  'import("https://evil.test/a.js")',
  'import{a}from"//evil.test/a.js"',
  'fetch(`https://evil.test/t`)',
  'new WebSocket("wss://evil.test")',
])('it would find %s', (text) => expect(hostsIn(text)).toEqual(['evil.test']))

/** The gzipped JavaScript that a chat needs before the user can type, in kilobytes. */
const FIRST_LOAD = 160

test.skipIf(!existsSync(built))('the first load is small', () => {
  const code = readdirSync(`${built}/ui`)
    .filter((name) => /^(app|chatkit|rolldown-runtime)-.*\.js$/.test(name))
    .map((name) => readFileSync(`${built}/ui/${name}`))
  const needed = [...String(code).matchAll(/\bfrom"\.\/([\w-]+)-[\w-]{8}\.js"/g)]
  expect(new Set(needed.map((match) => match[1]))).toEqual(new Set(['rolldown-runtime']))
  const sizes = code.map((each) => gzipSync(each).length / 1024)
  expect(sizes.reduce((sum, each) => sum + each, 0)).toBeLessThan(FIRST_LOAD)
})
