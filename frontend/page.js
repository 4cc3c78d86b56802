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

// The address names the open chat, so that Back and Forward move between chats.
const threadInAddress = () => new URL(location.href).searchParams.get('thread') || null
const addressOf = (threadId) => {
  const url = new URL(location.href)
  if (threadId === null) url.searchParams.delete('thread')
  else url.searchParams.set('thread', threadId)
  return url
}
if (threadInAddress() === null && given.initialThread) {
  history.replaceState(null, '', addressOf(given.initialThread))
}
const initialThread = threadInAddress()

let isResponding = false
// Whether a chat was just not found.
let isMissing = false
// Whether the chat that the address names is about to be opened.
let isMoving = false
chat.addEventListener('chatkit.response.start', () => (isResponding = true))
chat.addEventListener('chatkit.response.end', () => (isResponding = false))
chat.addEventListener('chatkit.error', ({ detail }) => {
  isMissing = detail.error.cause?.status === 404
})
chat.addEventListener('chatkit.thread.change', ({ detail: { threadId } }) => {
  const isThere = threadId === threadInAddress()
  if (!isThere && !isMoving) {
    // A new chat gets its ID with its first answer. In a frame, the history belongs to the page around it.
    const isSame = isMissing || (isResponding && threadInAddress() === null) || parent !== window
    history[isSame ? 'replaceState' : 'pushState'](null, '', addressOf(threadId))
  }
  if (isThere) isMoving = false
  isMissing = false
})
addEventListener('popstate', () => {
  isMoving = true
  // The chat shows why a thread cannot be opened.
  const end = () => (isMoving = false)
  chat.setThreadId(threadInAddress()).then(end, end)
})

const options = () => ({
  ...given,
  initialThread,
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
