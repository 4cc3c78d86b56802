/** The source that is being parsed, without a byte order mark: constructs look ahead in it. */

let source = ''

export function setSource(text: string): void {
  // The parser does not count a byte order mark at the start.
  source = text.replace(/^\ufeff/, '')
}

export function currentSource(): string {
  return source
}
