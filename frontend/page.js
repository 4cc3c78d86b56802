// The full-page chat: all of the server's features, in the color scheme that the user prefers.
const chat = document.getElementById('chat')
// The page's policy allows scripts to set styles, but not attributes.
document.body.style.margin = '0'
chat.style.cssText = 'display:block;height:100dvh'
// Safari shows its keyboard over the page, and reports it only here.
visualViewport?.addEventListener('resize', () => {
  const isCovered = innerHeight - visualViewport.height > 80 && visualViewport.scale === 1
  chat.style.height = isCovered ? `${visualViewport.height}px` : '100dvh'
  if (isCovered) scrollTo(0, 0)
})

const dark = matchMedia('(prefers-color-scheme: dark)')

// The options of the server and its app. If they cannot be loaded, the chat explains the problem.
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
