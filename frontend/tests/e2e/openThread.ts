import type { Person } from './browser'

/** Have the server show a thread of messages, and open it. */
export async function openThread(person: Person, texts: readonly string[]): Promise<void> {
  await person.page.route('**/chatkit', async (route) => {
    const base = { thread_id: 't', created_at: '2026-01-01T00:00:00', type: 'assistant_message' }
    const data = texts.map((text, index) => ({
      ...base,
      id: `a${index}`,
      content: [{ type: 'output_text', text, annotations: [] }],
    }))
    const isList = route.request().postData()?.includes('items.list')
    const items = { data: isList ? data.toReversed() : [], has_more: false }
    await route.fulfill({ json: isList ? items : { ...base, id: 't', items } })
  })
  await person.page.evaluate(() =>
    (
      document.querySelector('openai-chatkit') as unknown as { setThreadId: (id: string) => void }
    ).setThreadId('t'),
  )
}
