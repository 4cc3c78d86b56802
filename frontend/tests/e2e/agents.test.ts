/** Several agents behind one chat, between which the user chooses. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { python } from '../python'
import { Person } from './browser'
import { openedSite } from './openedSite'

const store = `sqlite:///${mkdtempSync(join(tmpdir(), 'agents-'))}/chat.db`
const agents = ['weather', 'trips'].map((name) => `tests.fakes.two_agents:${name}`)
const command = 'from agent_framework_chatkit.cli.commands import app; app()'
const site = openedSite((port) =>
  python(['-c', command, 'serve', ...agents, '--port', String(port), '--store', store]),
)

test('the first message chooses the agent of its chat, also after a reload', async () => {
  const ann = await Person.at(site)
  const { chat, page } = ann
  const menu = (name: string) => chat.getByRole('button', { name: new RegExp(`${name}$`) }).last()
  await menu('Weather').click()
  await chat.getByRole('menuitemradio', { name: 'Trips Plans journeys.' }).click()
  await ann.ask('Where to?', 'Go by train. (1)')
  await page.reload()
  await ann.text('Go by train. (1)').waitFor()
  await menu('Trips').waitFor()
  await ann.ask('And then?', 'Go by train. (3)')
  await expect.poll(() => chat.getByText(/answers in this chat/).count()).toBe(0)

  await menu('Trips').click()
  await chat.getByRole('menuitemradio', { name: 'Weather Knows the sky.' }).click()
  await ann.ask('Sun?', 'Go by train. (5)')
  await chat
    .getByText('Trips answers in this chat. Start a new chat to ask Weather.')
    .first()
    .waitFor()
  expect(ann.problems).toEqual([])
})
