/** The guide's quickstart as a newcomer follows it: a wheel, a new folder, and no Node.js. */

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { interpreter, root } from '../python'
import { Person } from './browser'
import { openedSite } from './openedSite'

const folder = mkdtempSync(join(tmpdir(), 'my-chat-'))
const bin = join(folder, '.venv/bin')
let model: Server

/** A model that looks up the temperature in Oslo and reports it. */
function scriptedModel(): Server {
  return createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] }
      const last = messages.at(-1)
      const call = { name: 'temperature', arguments: '{"city":"Oslo"}' }
      const delta =
        last?.role === 'tool'
          ? { role: 'assistant', content: `${last.content} Take a hat.` }
          : { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] }
      const chunk = {
        id: `reply_${messages.length}`,
        object: 'chat.completion.chunk',
        created: 0,
        model: 'scripted',
        choices: [{ index: 0, delta, finish_reason: null }],
      }
      response.setHeader('Content-Type', 'text/event-stream')
      response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`)
    })
  })
}

beforeAll(async () => {
  const guide = readFileSync(join(root, 'docs/quickstart.md'), 'utf8')
  const code = /```python title="my_agent.py"\n(.*?)```/s.exec(guide)?.[1]
  if (code === undefined) throw new Error('The quickstart has no my_agent.py.')
  writeFileSync(join(folder, 'my_agent.py'), code)

  const uv = join(dirname(interpreter), 'uv')
  const run = (...args: string[]): void => {
    execFileSync(uv, args, { cwd: root, stdio: 'pipe' })
  }
  mkdirSync(join(folder, 'dist'))
  run('build', '--quiet', '--wheel', '--out-dir', join(folder, 'dist'), '--python', interpreter)
  run('venv', '--quiet', '--python', interpreter, join(folder, '.venv'))
  const [wheel] = readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.whl'))
  const requirement = `agent-framework-chatkit[server,files] @ file://${join(folder, 'dist', wheel ?? '')}`
  run(
    'pip',
    'install',
    '--quiet',
    '--python',
    join(bin, 'python'),
    requirement,
    'agent-framework-openai',
  )

  model = scriptedModel()
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve))
}, 300_000)
afterAll(() => model?.close())

const site = openedSite((port) =>
  spawn(
    join(bin, 'af-chatkit'),
    ['serve', 'my_agent:helper', '--attachments', 'files', '--port', String(port)],
    {
      cwd: folder,
      // Nothing of this repository, and no Node.js.
      env: {
        PATH: bin,
        OPENAI_API_KEY: 'none',
        OPENAI_MODEL: 'scripted',
        OPENAI_BASE_URL: `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`,
      },
    },
  ),
)

test("the guide's quickstart leads to a chat in the browser", async () => {
  const ann = await Person.at(site)
  await ann.ask('What shall I wear in Oslo?', 'It is 21 °C in Oslo. Take a hat.')
  await ann.page.reload()
  await ann.text('It is 21 °C in Oslo. Take a hat.').waitFor()
  expect(ann.problems).toEqual([])
})
