/**
 * Return whether an image may be loaded: to load one tells its server who reads this. An image of
 * SVG runs no script and loads nothing, as long as it is an `<img>`.
 *
 * @param domains The other hosts that may serve it, over https; `null` for any.
 */
export function isImageAllowed(
  src: string,
  domains: readonly string[] | null,
  origin: string,
): boolean {
  if (src === '') return false
  if (/^data:image\/(png|jpeg|gif|webp|avif|svg\+xml)[;,]/i.test(src)) return true
  let url: URL
  try {
    url = new URL(src, origin)
  } catch {
    return false
  }
  if (url.origin === origin) return true
  if (url.protocol !== 'https:') return false
  return (
    domains?.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`)) ??
    true
  )
}
