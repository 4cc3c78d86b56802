/** Pictures of pages that somebody has reviewed. */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import pixelmatch from 'pixelmatch'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { expect } from 'vitest'

/** `SCREENSHOTS=1` takes new pictures, also for the guide; review them before you commit them. */
export const isTaking = process.env['SCREENSHOTS'] !== undefined

const folder = join(import.meta.dirname, 'snapshots')
const drawnBy = join(folder, 'drawn-by.json')

/** The share of pixels that may differ: a few edges of letters. */
const TOLERANCE = 0.001

/**
 * Compare a page with its picture, if the browser and the fonts are the same.
 *
 * `fit` makes the window as large as the content, whose size changes while parts render.
 */
export async function expectLooks(
  page: Page,
  name: string,
  fit: () => Promise<void>,
): Promise<void> {
  const here = JSON.stringify(await machineOf(page))
  const file = join(folder, `${name}.png`)
  const take = async (path: string): Promise<Buffer> => {
    await fit()
    return page.screenshot({ path, animations: 'disabled', caret: 'hide' })
  }
  if (isTaking) {
    await take(file)
    writeFileSync(drawnBy, `${here}\n`)
    return
  }
  if (readFileSync(drawnBy, 'utf8').trim() !== here) {
    console.warn(`${name} is not compared: here, pages are drawn with another browser or fonts.`)
    return
  }
  const seen = join(mkdtempSync(join(tmpdir(), 'snapshot-')), `${name}.png`)
  const before = PNG.sync.read(readFileSync(file))
  const { width, height } = before
  const message = `${seen} differs from ${file} in more than it may.`
  await expect
    .poll(
      async () => {
        const now = PNG.sync.read(await take(seen))
        if (now.width !== width || now.height !== height) return 1
        return pixelmatch(now.data, before.data, undefined, width, height) / (width * height)
      },
      { message },
    )
    .toBeLessThan(TOLERANCE)
}

/** Identify the browser and fonts that render pages, by the widths of letters. */
async function machineOf(page: Page): Promise<object> {
  const widths = await page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d')
    return ['16px system-ui', '16px sans-serif', '16px monospace'].map((font) => {
      if (context === null) return 0
      context.font = font
      return context.measureText('The quick brown fox jumps. Ærlig? 晴れ ☂').width
    })
  })
  const version = page.context().browser()?.version().split('.')[0]
  return { version, widths }
}
