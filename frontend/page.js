// The full-page chat: everything that the server offers, in the colors that the person prefers.
const chat = document.getElementById('chat')
// A strict policy of the page lets scripts, and no attributes, set styles.
document.body.style.margin = '0'
chat.style.cssText = 'display:block;height:100dvh'

const dark = matchMedia('(prefers-color-scheme: dark)')

const options = () => ({
  api: { url: new URL('chatkit', document.baseURI).href, domainKey: 'local' },
  theme: { colorScheme: dark.matches ? 'dark' : 'light' },
  threadItemActions: { feedback: true, retry: true },
  thread: { autoScroll: true },
})

chat.setOptions(options())
dark.addEventListener('change', () => chat.setOptions(options()))
chat.addEventListener('chatkit.thread.change', ({ detail }) => {
  const url = new URL(location.href)
  if (detail.threadId === null) url.searchParams.delete('thread')
  else url.searchParams.set('thread', detail.threadId)
  history.replaceState(null, '', url)
})
const thread = new URL(location.href).searchParams.get('thread')
if (thread !== null) chat.setThreadId(thread)
