/** Lists, controls and charts of widgets, used by keyboard alone. */

import { expect, test } from 'vitest'

import type { Person } from './browser'
import { openedSite } from './openedSite'
import { idle, leave, options, seeing, show } from './shownWidget'

const site = openedSite()

/** Press keys, and wait until the element with this name has the focus. */
async function press(ann: Person, keys: string[], name: string): Promise<void> {
  for (const key of keys) await ann.page.keyboard.press(key)
  const focused = (): Promise<string | undefined> | undefined =>
    ann.page.frames()[1]?.evaluate(() => {
      const element = document.activeElement
      const label = document.getElementById(element?.getAttribute('aria-labelledby') ?? '')
      const labels = element instanceof HTMLButtonElement ? element.labels : []
      return (
        label?.textContent ??
        element?.getAttribute('aria-label') ??
        (labels[0] ?? element?.querySelector(':scope > title') ?? element)?.textContent ??
        ''
      )
    })
  await expect.poll(focused).toBe(name)
}

test('the items of a list and a collapsed card keep the focus', async () => {
  const children = ['One', 'Two', 'Three'].map((value) => ({
    type: 'ListViewItem',
    children: [{ type: 'Text', value }],
    onClickAction: { type: 'note', payload: { value } },
  }))
  const ann = await seeing(site, { type: 'ListView', limit: 2, children })
  await ann.button('One').focus()
  await press(ann, ['Enter'], 'One')
  await ann.text('Noted: {"value": "One"}').waitFor()
  await idle(ann)
  await press(ann, ['Tab', 'Tab'], 'Show more')
  await press(ann, ['Space'], 'Show less')
  await press(ann, ['Shift+Tab'], 'Three')
  await press(ann, ['Space'], 'Three')
  await ann.text('Noted: {"value": "Three"}').waitFor()
  await idle(ann)
  await press(ann, [], 'Three')
  const confirm = { label: 'Confirm', action: { type: 'note', payload: 7 } }
  await show(ann, { type: 'Card', collapsed: true, children, confirm })
  await ann.button('Show more').focus()
  await press(ann, ['Enter'], 'Show less')
  await press(ann, ['Tab', 'Tab', 'Tab', 'Tab'], 'Confirm')
  await leave(ann)
})

/** A card whose controls replace it with another state of itself, if there is one. */
function booking(title: string, next?: object): object {
  const action = next && { type: 'become', payload: { widget: next } }
  return {
    type: 'Card',
    children: [
      { type: 'Title', value: title },
      { type: 'Checkbox', name: 'meal', label: 'With a meal', onChangeAction: action },
      { type: 'Select', name: 'class', options, onChangeAction: action },
      { type: 'DatePicker', name: 'day', defaultValue: '2026-11-25', onChangeAction: action },
      {
        type: 'Chart',
        data: [
          { day: 'Mon', seats: 3 },
          { day: 'Tue', seats: 5 },
        ],
        series: [{ type: 'bar', dataKey: 'seats', label: 'Seats' }],
        xAxis: 'day',
        height: 160,
      },
      { type: 'Button', label: 'Done', onClickAction: { type: 'note' } },
    ],
  }
}

test('controls keep the focus when their actions change the widget', async () => {
  const steps = ['Four', 'Three', 'Two', 'One'].reduce<object | undefined>(
    (next, title) => booking(title, next),
    undefined,
  )
  const ann = await seeing(site, steps as object)
  const title = async (name: string): Promise<void> => {
    await ann.chat.getByRole('heading', { name, exact: true }).waitFor()
    await idle(ann)
  }
  await ann.chat.getByRole('checkbox').focus()
  await press(ann, ['Space'], 'With a meal')
  await title('Two')
  await press(ann, ['Tab', 'Enter'], 'class')
  const economy = ann.chat.getByRole('option', { name: 'Economy' })
  await economy.waitFor()
  await press(ann, ['ArrowDown', 'Escape'], 'class')
  await economy.waitFor({ state: 'detached' })
  await title('Two')
  await press(ann, ['Enter'], 'class')
  await economy.waitFor()
  await press(ann, ['ArrowDown', 'Enter'], 'class')
  await title('Three')
  await press(ann, ['Tab', 'Enter'], 'Wednesday, November 25, 2026')
  await press(ann, ['PageDown'], 'Friday, December 25, 2026')
  await press(ann, ['Escape'], 'day')
  await press(ann, ['Enter'], 'Wednesday, November 25, 2026')
  await press(ann, ['ArrowRight'], 'Thursday, November 26, 2026')
  await press(ann, ['Enter'], 'day')
  await title('Four')
  await ann.chat.getByRole('application', { name: 'Chart: Seats' }).waitFor()
  await press(ann, ['Tab'], 'Chart: Seats')
  const values = ann.chat.locator('.chart-tooltip')
  await values.getByText('Mon').waitFor()
  await press(ann, ['ArrowRight'], 'Chart: Seats')
  await values.getByText('Tue').waitFor()
  await press(ann, ['Escape'], 'Chart: Seats')
  await values.waitFor({ state: 'hidden' })
  await press(ann, ['Tab'], 'Done')
  await leave(ann)
})
