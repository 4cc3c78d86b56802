/** The chat's own HTML, for pages that require Trusted Types. */

interface Policy {
  createHTML: (html: string) => unknown
}

interface Factory {
  createPolicy: (name: string, rules: { createHTML: (html: string) => string }) => Policy
}

let policy: Policy | null = null

/**
 * Return HTML that may be assigned where a page has `require-trusted-types-for 'script'`.
 *
 * Such a page must allow this policy and the editor's by name:
 * `trusted-types chatkit ProseMirrorClipboard`.
 */
export function trusted(html: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory }
  if (trustedTypes === undefined) return html
  policy ??= trustedTypes.createPolicy('chatkit', { createHTML: (given) => given })
  return policy.createHTML(html) as string
}
