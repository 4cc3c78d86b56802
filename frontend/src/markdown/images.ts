/**
 * Return whether an image may be loaded: loading one reveals the reader to its server. An SVG image
 * in an `<img>` runs no scripts and loads nothing else.
 *
 * @param domains Other hosts that may serve the image over HTTPS; `null` for any.
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
