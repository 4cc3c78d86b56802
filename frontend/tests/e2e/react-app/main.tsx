/** A typical app with `@openai/chatkit-react`, which uses every option. */

import { ChatKit, useChatKit, type UseChatKitOptions } from '@openai/chatkit-react'
import { createRoot } from 'react-dom/client'

declare global {
  interface Window {
    chat: ReturnType<typeof useChatKit>
    received: string[]
  }
}

window.received = []
const record = (name: string) => (detail?: unknown) => {
  window.received.push(`${name} ${JSON.stringify(detail ?? null)}`)
}

const kari = { id: 'kari', title: 'Kari', interactive: true, data: { team: 'sea' } }

const options: UseChatKitOptions = {
  api: {
    url: '/chatkit',
    domainKey: 'local',
    uploadStrategy: { type: 'direct', uploadUrl: '/attachments' },
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...(init?.headers as object), 'X-App': 'shop' } }),
  },
  locale: 'en',
  theme: {
    colorScheme: 'dark',
    radius: 'soft',
    density: 'compact',
    color: {
      accent: { primary: '#0055ff', level: 1 },
      grayscale: { hue: 220, tint: 6, shade: -1 },
      surface: { background: '#101418', foreground: '#181d22' },
    },
    typography: {
      baseSize: 15,
      fontFamily: 'serif',
      fontFamilyMono: 'monospace',
      fontSources: [],
    },
  },
  frameTitle: 'The help desk',
  initialThread: new URLSearchParams(location.search).get('thread'),
  onClientTool: ({ name }) => ({ city: `Oslo by ${name}` }),
  header: {
    enabled: true,
    title: { enabled: true, text: 'Help' },
    leftAction: { icon: 'menu', onClick: record('left') },
    rightAction: { icon: 'close', onClick: record('right') },
  },
  history: { enabled: true, showDelete: true, showRename: false },
  startScreen: {
    greeting: 'How can we help?',
    prompts: [{ label: 'Say hello', prompt: 'Hello from a prompt', icon: 'star' }],
  },
  threadItemActions: { feedback: true, retry: false },
  composer: {
    placeholder: 'Ask us',
    attachments: {
      enabled: true,
      maxSize: 1024,
      maxCount: 2,
      accept: { 'text/plain': ['.txt'] },
    },
    tools: [{ id: 'search', label: 'Search', icon: 'search', placeholderOverride: 'Search for' }],
    models: [
      { id: 'small', label: 'Small', description: 'Fast' },
      { id: 'large', label: 'Large', default: true },
    ],
    dictation: { enabled: true },
  },
  disclaimer: { text: 'It may be wrong.', highContrast: true },
  entities: {
    showComposerMenu: true,
    onTagSearch: async (query) => [kari].filter(({ title }) => title.includes(query)),
    onClick: ({ id, data }) => record('tag.click')([id, data]),
    onRequestPreview: async ({ title }) => ({
      preview: { type: 'Basic', children: [{ type: 'Text', value: `${title} works at sea.` }] },
    }),
  },
  commands: {
    enabled: true,
    onSearch: async () => [{ id: 'ship', label: 'Name a ship', icon: 'compass' }],
    onSelect: async () => ({ type: 'entity', entity: { id: 'fram', title: 'Fram' } }),
  },
  widgets: { onAction: async (action, { id }) => record('action')({ action, id }) },
  thread: { autoScroll: true },
  onReady: record('ready'),
  onError: ({ error }) => record('error')(error.message),
  onResponseStart: record('response.start'),
  onResponseEnd: record('response.end'),
  onThreadChange: ({ threadId }) => record('thread.change')(threadId),
  onThreadLoadStart: () => record('load.start')(),
  onThreadLoadEnd: () => record('load.end')(),
  onToolChange: record('tool.change'),
  onHistoryOpen: record('history.open'),
  onHistoryClose: record('history.close'),
  onEffect: record('effect'),
  onDeeplink: record('deeplink'),
  onLog: record('log'),
}

function App() {
  const chat = useChatKit(options)
  window.chat = chat
  return <ChatKit control={chat.control} style={{ display: 'block', height: 700 }} />
}

const root = document.getElementById('app')
if (root !== null) createRoot(root).render(<App />)
