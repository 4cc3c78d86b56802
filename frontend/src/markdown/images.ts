/** Return whether an image may be loaded: to load one tells its server who reads this. */
export function isImageAllowed(src: string, domains: readonly string[], origin: string): boolean {
  if (/^data:image\/(png|jpeg|gif|webp|avif);/i.test(src)) return true
  let url: URL
  try {
    url = new URL(src, origin)
  } catch {
    return false
  }
  if (url.origin === origin) return true
  return (
    url.protocol === 'https:' &&
    domains.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`))
  )
}
