/** The chat behind nginx, as the guide's page on deployment configures it, and in pages of other origins. */

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { OpenAIChatKit } from '@openai/chatkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { python, root } from '../python'
import { answers, freePort, Person } from './browser'
import { openedSite } from './openedSite'
import { PATIENCE } from './patience'

const folder = mkdtempSync(join(tmpdir(), 'proxy-'))
const guide = readFileSync(join(root, 'docs/deployment.md'), 'utf8')
const picture = {
  name: 'a.png',
  mimeType: 'image/png',
  buffer: readFileSync(join(root, 'docs/images/start-light.png')),
}

const stops: (() => void)[] = []
/** The addresses at which nginx serves the chat, by HTTP and by HTTPS, each under a path. */
let plain: string
let secure: string

/** Start nginx with the guide's location in front of the chat. */
function startNginx(chat: number, ports: { plain: number; secure: number }): void {
  const location = /```nginx\n(.*?)```/s
    .exec(guide)![1]!
    .replace('127.0.0.1:8000', `127.0.0.1:${chat}`)
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const subject = ['-subj', '/CN=chat.test', '-days', '2', '-keyout', key, '-out', certificate]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], {
    stdio: 'ignore',
  })
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''}
    daemon off;
    pid ${folder}/nginx.pid;
    events {}
    http {
      access_log off;
      ${paths.map((path) => `${path}_temp_path ${folder}/${path};`).join('\n')}
      server { listen 127.0.0.1:${ports.plain}; ${location} }
      server {
        listen 127.0.0.1:${ports.secure} ssl;
        ssl_certificate ${certificate};
        ssl_certificate_key ${key};
        ${location}
      }
    }`,
  )
  const args = ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]
  const nginx = spawn(process.env['NGINX'] ?? 'nginx', args)
  stops.push(() => nginx.kill())
}

let ports: { plain: number; secure: number }
beforeAll(async () => {
  ports = { plain: await freePort(), secure: await freePort() }
  plain = `http://chat.test:${ports.plain}/chat/`
  secure = `https://chat.test:${ports.secure}/chat/`
})
const site = openedSite((port) => {
  startNginx(port, ports)
  const store = ['--store', `sqlite:///${folder}/chat.db`, '--attachments', `${folder}/files`]
  const agent = ['tests.fakes.counting_agent:helper', '--port', String(port)]
  const command = 'from agent_framework_chatkit.cli.commands import app; app()'
  // As the guide starts it, with its own names.
  const options = ['--root-path', '/chat', '--allowed-hosts', 'chat.test']
  return python(['-c', command, 'serve', ...agent, ...store, ...options])
})
beforeAll(async () => {
  const isUp = (): Promise<unknown> => fetch(`http://127.0.0.1:${ports.plain}/chat/healthz`)
  await vi.waitFor(isUp)
})
afterAll(() => {
  for (const stop of stops) stop()
})
/** Attach a picture and ask twice: an answer streams, and the picture is shown. */
async function converse(browser: Browser, url: string): Promise<Person> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  context.setDefaultTimeout(PATIENCE)
  const person = new Person(await context.newPage(), new URL(url).origin)
  await person.page.goto(url)
  await person.composer.waitFor()
  await person.chat.locator('input[type=file]').first().setInputFiles(picture)
  await person.chat.getByText('a.png is attached.').waitFor({ state: 'attached' })
  await person.ask('Look', /I know 1 messages/)
  await person.ask('Slowly', /Slowly\. Slowly\./)
  const image = person.chat.locator('.items img').first()
  await image.waitFor()
  await expect
    .poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth))
    .toBeGreaterThan(0)
  return person
}

test.each([
  ['HTTP', () => plain],
  ['HTTPS', () => secure],
])('behind nginx, under a path, by %s, everything works', async (scheme, url) => {
  const person = await converse(site.browser, url())
  const { page } = person
  const listed = await page.evaluate(async () => {
    const post = (type: string, params: object) =>
      fetch('chatkit', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ type, params }),
      }).then((response) => response.json())
    const threads = (await post('threads.list', {})) as { data: { id: string }[] }
    const thread_id = threads.data[0]!.id
    return (await post('items.list', { thread_id, order: 'asc' })) as {
      data: { attachments: { preview_url: string }[] }[]
    }
  })
  // The link has the name, the port and the path under which people reach the chat.
  const link = listed.data[0]!.attachments[0]!.preview_url
  expect(link.startsWith(`${url()}attachments/`)).toBe(true)
  const cookies = await page.context().cookies()
  expect(cookies).toHaveLength(1)
  expect(cookies[0]!.secure).toBe(scheme === 'HTTPS')
  expect(cookies[0]!.name.startsWith('__Host-')).toBe(scheme === 'HTTPS')
  expect(person.problems).toEqual([])
  await page.context().close()
})

test('behind nginx, a host that is not allowed is rejected', async () => {
  const response = await fetch(plain.replace('chat.test', '127.0.0.1'))
  expect(response.status).toBe(403)
  const { origin } = new URL(plain.replace('chat.test', '127.0.0.1'))
  expect((await fetch(`${origin}/chat/healthz`)).status).toBe(200)
})

test('in a page of another origin, with a token, everything works', async () => {
  const [port, page] = [await freePort(), await freePort()]
  const origin = `http://intranet.test:${page}`
  const server = python(['frontend/tests/e2e/login_server.py', String(port), origin])
  const html = `<!doctype html><title>Intranet</title>
    <script src="http://127.0.0.1:${port}/chatkit.js"></script>
    <openai-chatkit style="display: block; height: 600px"></openai-chatkit>`
  const host = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end(html)
  }).listen(page, '127.0.0.1')
  stops.push(
    () => server.kill(),
    () => host.close(),
  )
  await expect.poll(() => answers(`http://127.0.0.1:${port}`)).toBe(true)
  const context = await site.browser.newContext()
  context.setDefaultTimeout(PATIENCE)
  const person = new Person(await context.newPage(), origin)
  await person.page.goto(origin)
  await person.page.evaluate(async (chat) => {
    await customElements.whenDefined('openai-chatkit')
    const element = document.querySelector('openai-chatkit') as unknown as OpenAIChatKit
    element.setOptions({
      api: {
        url: `${chat}/chatkit`,
        domainKey: 'local',
        uploadStrategy: { type: 'direct', uploadUrl: `${chat}/attachments` },
        fetch: (input, init) =>
          fetch(input, {
            ...init,
            headers: { ...(init?.headers as object), Authorization: 'Bearer t0ken' },
          }),
      },
      composer: { attachments: { enabled: true } },
    })
  }, `http://127.0.0.1:${port}`)
  await person.composer.waitFor()
  await person.chat.locator('input[type=file]').first().setInputFiles(picture)
  await person.chat.getByText('a.png is attached.').waitFor({ state: 'attached' })
  await person.ask('Look', /I know 1 messages/)
  await person.ask('Slowly', /Slowly\. Slowly\./)
  await context.close()
})
