/** Walks through a page by keyboard. */

import type { Person } from './browser'

/** Press Tab until the focus has been everywhere; return the elements with an invisible focus. */
export async function walk(person: Person, most = 80): Promise<string[]> {
  const frame = person.page.frames()[1]
  const problems = new Set<string>()
  const seen = new Set<string>()
  for (let steps = 0; steps < most; steps++) {
    await person.page.keyboard.press('Tab')
    const stop = await frame?.evaluate(async () => {
      const element = document.activeElement
      if (element === null || element === document.body) return null
      // The browser scrolls to the element a few frames later.
      const drawn = (): Promise<unknown> => new Promise(requestAnimationFrame)
      let before: number
      do {
        before = element.getBoundingClientRect().top
        for (let frames = 0; frames < 3; frames++) await drawn()
      } while (element.getBoundingClientRect().top !== before)
      // The middle of the part that its scroller shows.
      const { left, top, right, bottom } = element.getBoundingClientRect()
      const scroller = element.closest('.scroller, .history') ?? document.documentElement
      const view = scroller.getBoundingClientRect()
      const x = (Math.max(left, view.left) + Math.min(right, view.right)) / 2
      const y = (Math.max(top, view.top) + Math.min(bottom, view.bottom)) / 2
      const at = document.elementFromPoint(x, y)
      // Parts of a drawing overlap each other.
      const whole = element.closest('svg') ?? element
      // These show the focus ring around their container.
      const holder = element.matches('input, textarea, .editor-text')
        ? element.closest('.choice, .composer-box, .edit .editor, [data-focused="true"]')
        : null
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(holder ?? element)
      const isForced = matchMedia('(forced-colors: active)').matches
      const hasRing = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0
      return {
        name: element.getAttribute('aria-label') ?? element.textContent?.slice(0, 40) ?? '',
        tag: element.tagName,
        isWithin: top < innerHeight && bottom > 0 && left < innerWidth && right > 0,
        isOnTop: at !== null && (whole.contains(at) || at.contains(whole)),
        hasFocusRing: hasRing || (!isForced && boxShadow !== 'none'),
      }
    })
    if (stop === null || stop === undefined) continue
    const what = `${stop.tag} ${stop.name}`
    if (!stop.isWithin) problems.add(`${what} is out of sight`)
    else if (!stop.isOnTop) problems.add(`${what} is covered`)
    if (!stop.hasFocusRing) problems.add(`${what} has no focus ring`)
    if (seen.has(what) && seen.size > 3 && what === [...seen][0]) break
    seen.add(what)
  }
  if (seen.size < 2) problems.add('Tab reaches too few elements')
  return [...problems]
}
