/** A shop with a chat next to its orders, built with OpenAI's React package. */

import { ChatKit, useChatKit } from '@openai/chatkit-react'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'

const ORDERS = [
  { id: '17', what: 'Two kilos of tea', state: 'on its way' },
  { id: '18', what: 'A kettle', state: 'paid' },
]

function Shop() {
  const [marked, setMarked] = useState<string | null>(null)
  const { control, sendUserMessage } = useChatKit({
    api: { url: '/chatkit', domainKey: 'local' },
    startScreen: { greeting: 'What about your orders?' },
    history: { enabled: false },
    // The agent's tools `list_orders` and `mark_order` run here, in the page.
    onClientTool: ({ name, params }) => {
      if (name === 'list_orders') return { orders: ORDERS }
      if (name !== 'mark_order') return { error: `This page has no tool ${name}.` }
      setMarked(String(params['id']))
      return { marked: params['id'] }
    },
  })
  return (
    <div style={{ display: 'flex', height: '100vh', fontFamily: 'system-ui' }}>
      <main style={{ flex: 1, padding: 24 }}>
        <h1>Orders</h1>
        <ul>
          {ORDERS.map(({ id, what, state }) => (
            <li key={id} style={{ background: id === marked ? 'gold' : 'none' }}>
              {what}, {state}{' '}
              <button onClick={() => void sendUserMessage({ text: `Where is order ${id}?` })}>
                Ask about it
              </button>
            </li>
          ))}
        </ul>
      </main>
      <ChatKit control={control} style={{ display: 'block', width: 400, height: '100%' }} />
    </div>
  )
}

const root = document.getElementById('app')
if (root !== null) createRoot(root).render(<Shop />)
