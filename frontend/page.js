// The full-page chat: everything that the server offers, in the colors that the person prefers.
const chat = document.getElementById('chat')
// A strict policy of the page lets scripts, and no attributes, set styles.
document.body.style.margin = '0'
chat.style.cssText = 'display:block;height:100dvh'
// Safari lays its keyboard over the page, and says so here alone.
visualViewport?.addEventListener('resize', () => {
  const isCovered = innerHeight - visualViewport.height > 80 && visualViewport.scale === 1
  chat.style.height = isCovered ? `${visualViewport.height}px` : '100dvh'
  if (isCovered) scrollTo(0, 0)
})

const dark = matchMedia('(prefers-color-scheme: dark)')

// What the server and its app say; without an answer, the chat says what is wrong with the server.
const given = await fetch('page.json')
  .then((response) => (response.ok ? response.json() : {}))
  .catch(() => ({}))

const options = () => ({
  ...given,
  header: { export: true, ...given.header },
  history: { layout: 'sidebar', ...given.history },
  thread: { autoScroll: true, ...given.thread },
  api: { url: new URL('chatkit', document.baseURI).href, domainKey: 'local', ...given.api },
  theme:
    typeof given.theme === 'string'
      ? given.theme
      : { colorScheme: dark.matches ? 'dark' : 'light', ...given.theme },
  threadItemActions: { feedback: true, retry: true, edit: true, ...given.threadItemActions },
})

document.title = given.frameTitle ?? given.header?.title?.text ?? document.title
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
