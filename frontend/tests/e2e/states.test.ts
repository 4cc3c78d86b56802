/** The main states of a chat, in settings that layouts and colors easily miss. */

import { expect, test } from 'vitest'

import { Person } from './browser'
import { chatStates } from './chatStates'
import { openedSite } from './openedSite'
import { surroundings } from './surroundings'
import { walk } from './walk'

const site = openedSite()

/** These are written at this moment, or keep the focus in a dialog. */
const NOT_WALKED = ['writing, with a queued message', 'working', 'picture', 'shortcuts']
const RIGHT_TO_LEFT = ['dark, narrow', 'forced colors']

test.each(Object.entries(surroundings))(
  'axe finds nothing, nothing is too wide, and every tab stop is visible: %s',
  async (setting, options) => {
    const ann = await Person.at(site, options)
    const frame = ann.page.frames()[1]
    // The texts stay English, so that tests find them.
    if (RIGHT_TO_LEFT.includes(setting)) {
      await frame?.evaluate(() => (document.documentElement.dir = 'rtl'))
    }
    for await (const state of chatStates(ann)) {
      expect(await ann.violations(), state).toEqual([])
      const width = await frame?.evaluate(() => document.body.scrollWidth - innerWidth)
      expect(width, state).toBe(0)
      if (!NOT_WALKED.includes(state)) expect(await walk(ann), state).toEqual([])
    }
    await ann.leave()
  },
)
