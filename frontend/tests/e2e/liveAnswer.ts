import type { Person } from './browser'

declare global {
  interface Window {
    /** Adds to the answer, or ends it. */
    write: (delta: string | null) => void
  }
}

/** Begin an answer, and return functions that add to it and that end it. */
export async function beginAnswer(
  person: Person,
): Promise<{ write: (delta: string) => Promise<void>; end: () => Promise<void> }> {
  await person.page.evaluate(() => {
    const base = { thread_id: 't', created_at: '2026-01-01T00:00:00' }
    const answer = (): Response => {
      const encoder = new TextEncoder()
      let text = ''
      const start = (controller: ReadableStreamDefaultController): void => {
        const send = (event: object): void =>
          controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`))
        const item = { ...base, id: 'a', type: 'assistant_message', content: [] as object[] }
        const asked = { type: 'user_message', attachments: [], inference_options: {} }
        const content = [{ type: 'input_text', text: 'Go' }]
        send({ type: 'thread.created', thread: { ...base, id: 't', items: { data: [] } } })
        send({ type: 'thread.item.done', item: { ...base, ...asked, id: 'q', content } })
        send({ type: 'thread.item.added', item })
        window.write = (delta) => {
          text += delta ?? ''
          const type = 'assistant_message.content_part.text_delta'
          const update = { type, content_index: 0, delta }
          if (delta !== null) return send({ type: 'thread.item.updated', item_id: 'a', update })
          item.content = [{ type: 'output_text', text, annotations: [] }]
          send({ type: 'thread.item.done', item })
          controller.close()
        }
      }
      const headers = { 'Content-Type': 'text/event-stream' }
      return new Response(new ReadableStream({ start }), { headers })
    }
    const chat = document.querySelector('openai-chatkit') as unknown as {
      setOptions: (options: object) => void
    }
    chat.setOptions({ api: { url: '/chatkit', domainKey: 'local', fetch: async () => answer() } })
  })
  await person.say('Go')
  await person.button('Stop').waitFor()
  return {
    write: (delta) => person.page.evaluate((delta) => window.write(delta), delta),
    end: async () => {
      await person.page.evaluate(() => window.write(null))
      await person.button('Send').waitFor()
    },
  }
}
