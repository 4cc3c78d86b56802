import { open, Person } from '/work/main/frontend/tests/e2e/browser'
const site = await open()
for (const [scheme, width] of [['light', 1000], ['dark', 400]] as const) {
  const ann = await Person.at(site, { colorScheme: scheme, viewport: { width, height: 1100 } })
  await ann.say('read')
  await ann.text('Whoever waits').waitFor()
  await ann.page.waitForTimeout(1500)
  await ann.chat.locator('.scroller').evaluate((e) => (e.scrollTop = 0))
  await ann.page.waitForTimeout(300)
  await ann.page.screenshot({ path: `/tmp/read-${scheme}.png` })
  console.log(ann.complaints)
}
await site.close(); process.exit(0)
