// The page of the weather assistant. It only sets options of <openai-chatkit>.
const chat = document.getElementById('chat')
const about = await fetch('about.json').then((response) => response.json())

// The tools that the page runs for the agent. None of them needs a permission.
const clientTools = {
  get_location() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
    const city = zone.split('/').at(-1).replaceAll('_', ' ')
    return zone.includes('/') ? { city, timeZone: zone } : { city: 'London', guessed: true }
  },
  set_color_scheme({ scheme }) {
    colorScheme = scheme === 'dark' ? 'dark' : 'light'
    chat.setOptions(options())
    return { scheme: colorScheme }
  },
}

const dark = matchMedia('(prefers-color-scheme: dark)')
let colorScheme = dark.matches ? 'dark' : 'light'

const options = () => {
  document.documentElement.dataset.scheme = colorScheme
  return {
    api: {
      url: new URL('chatkit', document.baseURI).href,
      domainKey: 'local',
      uploadStrategy: { type: 'direct', uploadUrl: 'attachments' },
    },
    frameTitle: 'Weather assistant',
    theme: {
      colorScheme,
      radius: 'round',
      color: {
        accent: { primary: colorScheme === 'dark' ? '#7dd3fc' : '#0369a1', level: 2 },
        grayscale: { hue: 230, tint: 4 },
      },
    },
    header: { export: true },
    startScreen: {
      greeting: 'How is the weather?',
      prompts: [
        { label: 'The weather in Oslo', prompt: 'What is the weather in Oslo?', icon: 'globe' },
        { label: 'Compare two cities', prompt: 'Compare Rome and Tokyo', icon: 'chart' },
        { label: 'Choose a city', prompt: 'Which cities do you know?', icon: 'maps' },
        { label: 'Where I am', prompt: 'How is the weather where I am?', icon: 'map-pin' },
        { label: 'What to wear', prompt: 'What should I wear in London?', icon: 'suitcase' },
        { label: 'Warn me of rain', prompt: 'Alert me when it rains in Paris', icon: 'bolt' },
      ],
    },
    composer: {
      placeholder: 'Ask about the weather, or type @ for a city',
      attachments: {
        enabled: true,
        maxCount: 3,
        accept: { 'image/*': ['.png', '.jpg', '.jpeg', '.webp'], 'text/*': ['.txt', '.csv', '.md'] },
      },
    },
    entities: {
      onTagSearch: async (query) =>
        about.cities.filter(({ title }) => title.toLowerCase().startsWith(query.toLowerCase())),
    },
    threadItemActions: { feedback: true, retry: true, edit: true },
    history: { layout: 'sidebar' },
    thread: { autoScroll: true },
    disclaimer: {
      text: about.isScript
        ? `A script answers instead of a model. Weather: ${about.weather}. ` +
          'See the README of this sample for how to use a real model.'
        : `Model: ${about.model}. Weather: ${about.weather}.`,
    },
    onClientTool: async ({ name, params }) =>
      clientTools[name]?.(params) ?? { error: `This page has no tool ${name}.` },
  }
}

chat.setOptions(options())

// A reload, a bookmark or a link opens the same thread again.
chat.addEventListener('chatkit.thread.change', ({ detail }) => {
  history.replaceState(null, '', detail.threadId === null ? '.' : `#${detail.threadId}`)
})
if (location.hash.length > 1) chat.setThreadId(location.hash.slice(1))
